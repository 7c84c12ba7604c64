"""``{first_name}``, ``{last_name}`` and ``{church}`` in the text of a broadcast."""

from __future__ import annotations

import re
from collections.abc import Callable

from koinonia.models import Church, Member

_PLACEHOLDER = re.compile(r"\{([^{}\n]{0,40})\}")
_VALUES: dict[str, Callable[[Member, Church], str]] = {
    "first_name": lambda member, church: member.first_name,
    "last_name": lambda member, church: member.last_name,
    "church": lambda member, church: church.name,
}
NAMES = tuple(_VALUES)


def unknown(text: str) -> list[str]:
    """The placeholders in ``text`` that nothing fills in, each once, in order."""
    found = (match[1] for match in _PLACEHOLDER.finditer(text))
    return list(dict.fromkeys(name for name in found if name not in _VALUES))


def render(text: str, member: Member, church: Church) -> str:
    """The text as this member gets it. A name with braces in it is not filled in again."""
    return _PLACEHOLDER.sub(lambda match: _VALUES[match[1]](member, church), text)
