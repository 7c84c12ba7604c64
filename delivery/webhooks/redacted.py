"""A stored event as support may see it: without words, names, places and whole numbers.

Each provider lists the fields that say nothing about a person (``plain_fields``). Any other value is
hidden, so that a field that a provider adds tomorrow is hidden too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from delivery.dead_letters.queue import masked
from delivery.providers import registry

_NUMBERS = frozenset({"phone_number", "from", "to", "From", "To"})
_NUMBER = re.compile(r"\+?\d[\d ().-]{6,}\d")
_LONGEST_VALUE, _LONGEST_DOCUMENT = 300, 20_000
_DEEPEST, _MOST_ITEMS = 12, 50


def redacted(payload: Any, provider: str) -> str:
    """Return the payload as indented JSON, with numbers masked and other personal values hidden.

    ``provider`` is the alias of the account whose webhook it is. Without it, every value is hidden.
    """
    shown = json.dumps(
        _shown(payload, "", _DEEPEST, _plain_fields(provider)), indent=2, ensure_ascii=False
    )
    if len(shown) <= _LONGEST_DOCUMENT:
        return shown
    return f"{shown[:_LONGEST_DOCUMENT]}\n… cut: {len(shown) - _LONGEST_DOCUMENT} characters more"


def _plain_fields(provider: str) -> frozenset[str]:
    try:
        return registry.get(provider).plain_fields
    except registry.UnknownProviderError:
        return frozenset()


def _shown(value: Any, name: str, depth: int, plain: frozenset[str]) -> Any:
    if isinstance(value, dict | list) and depth == 0:
        return "[nested too deeply]"
    if isinstance(value, dict):
        items = list(value.items())[:_MOST_ITEMS]
        return {key[:64]: _shown(one, key, depth - 1, plain) for key, one in items}
    if isinstance(value, list):
        return [_shown(one, name, depth - 1, plain) for one in value[:_MOST_ITEMS]]
    if value is None or value == "":
        return value
    if name in _NUMBERS:
        return masked(str(value))
    if name not in plain:
        return f"[hidden: {len(str(value))} characters]"
    return _scrubbed(value) if isinstance(value, str) else value


def _scrubbed(value: str) -> str:
    """Mask numbers that an error quotes in its sentence."""
    cut = value[:_LONGEST_VALUE]
    is_a_sentence = " " in cut or cut.startswith("+")
    return _NUMBER.sub(lambda found: masked(found[0]), cut) if is_a_sentence else cut
