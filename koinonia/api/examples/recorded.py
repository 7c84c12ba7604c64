"""The recorded answers: ``make examples`` writes them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("answers.json")


@cache
def recorded() -> Any:
    """Return ``ids``, ``problems`` by status, and ``answers`` by operation and status."""
    return json.loads(_FILE.read_text())


def sample_id(kind: str) -> str:
    """Return the id of an item in the recorded answers."""
    found: str = recorded()["ids"].get(kind, "Uk")
    return found
