"""Errors that quote a stranger's input: always printable, always short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from delivery.content.visible_text import clean

LONGEST_SENTENCE = 300
LONGEST_NAME = 100
MOST_FIELDS = 20
MOST_SENTENCES = 10
_MORE = "non_field_errors"


def sentence(told: object) -> str:
    """Return one line that every client can decode: no lone surrogate, no control character."""
    return _short(str(told), LONGEST_SENTENCE)


def by_field(detail: Any) -> dict[str, list[str]]:
    """Return DRF's nested errors as one level: ``audience.groups``, ``media_urls.0``.

    Of too many, the first; the last sentence says how many more there are.
    """
    found: dict[str, list[str]] = {}
    left_out = 0
    for name, told in _leaves(detail, ""):
        name = _short(name, LONGEST_NAME) or _MORE
        if len(found) >= MOST_FIELDS and name not in found:
            left_out += 1
        elif len(found.setdefault(name, [])) < MOST_SENTENCES:
            found[name].append(sentence(told))
        else:
            left_out += 1
    if left_out:
        found.setdefault(_MORE, []).append(f"There are {left_out} more errors.")
    return found


def _short(text: str, most: int) -> str:
    kept = clean(text[: most * 2])
    return kept if len(kept) <= most else f"{kept[: most - 1]}…"


def _leaves(detail: Any, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(detail, Mapping):
        yield from _within(detail.items(), name)
    elif isinstance(detail, list | tuple):
        nested = any(isinstance(item, Mapping | list | tuple) for item in detail)
        if nested:
            yield from _within(((i, item) for i, item in enumerate(detail) if item), name)
        else:
            yield from ((name, item) for item in detail)
    else:
        yield name, detail


def _within(items: Iterable[tuple[object, Any]], name: str) -> Iterator[tuple[str, object]]:
    for key, value in items:
        yield from _leaves(value, f"{name}.{key}" if name else str(key))
