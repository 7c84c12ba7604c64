from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from koinonia.ids import encode
from koinonia.models import Church
from tests.koinonia.inbox.conftest import receive


@pytest.fixture
def unread(grace: Church) -> Callable[..., str]:
    """Return a function that receives a text and returns the path of its conversation."""

    def received(words: str = "Yes!", **over: Any) -> str:
        return f"/churches/grace/inbox/{encode(receive(grace, words, **over).thread or 0)}/"

    return received
