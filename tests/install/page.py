"""The shell blocks of a page of the handbook, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PART = re.compile(
    r"^#{1,3} (?P<heading>[^\n]+)$|^```sh\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL
)
_OTHER_SET_UPS = "## Several machines"
"""The page is about more than one machine from this heading on."""


@dataclass(frozen=True)
class Block:
    heading: str
    commands: str

    @property
    def needs_network(self) -> bool:
        """Return whether the block installs packages of Debian or PyPI."""
        return "apt-get" in self.commands or "scripts/install" in self.commands


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of the one-machine set-up with the headings above them."""
    text, _, _ = page.read_text().partition(_OTHER_SET_UPS)
    heading = ""
    # A heading inside of a block is a comment of the shell, and the pattern takes blocks whole.
    for found in _PART.finditer(text):
        if found["commands"] is None:
            heading = found["heading"]
        else:
            yield Block(heading, found["commands"])
