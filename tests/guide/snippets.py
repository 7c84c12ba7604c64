"""The programs in ``docs/guide``: the blocks of one language on one page are one program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.running_system import ROOT

GUIDE = ROOT / "docs" / "guide"
LANGUAGES = ("bash", "python", "javascript")
_BLOCK = re.compile(
    r"(?:<!-- printed by: (?P<by>[a-z ]+) -->\n)?^```(?P<kind>[a-z]+)\n(?P<text>.*?)^```$",
    re.M | re.S,
)


class Program(NamedTuple):
    page: str
    language: str
    text: str
    printed: list[str]
    """Lines that the program prints, in this order."""


def pages() -> list[Path]:
    return sorted(GUIDE.glob("*.md"))


def programs() -> Iterator[Program]:
    for page in pages():
        blocks = list(_BLOCK.finditer(page.read_text()))
        for language in LANGUAGES:
            parts = [block["text"] for block in blocks if block["kind"] == language]
            if parts:
                yield Program(page.name, language, "\n".join(parts), _printed(blocks, language))


def _printed(blocks: list[re.Match[str]], language: str) -> list[str]:
    return [
        line
        for block in blocks
        if block["kind"] == "text" and language in (block["by"] or language).split()
        for line in block["text"].splitlines()
    ]
