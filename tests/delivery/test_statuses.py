from __future__ import annotations

import re
from pathlib import Path

from delivery.statuses import MAY_BECOME, Status

DIAGRAM = Path(__file__).resolve().parents[2] / "docs" / "message-states.md"
Edges = set[tuple[str, str]]


def _drawn() -> Edges:
    """Return the arrows of the diagram, each group replaced by its members."""
    lines = [line.strip() for line in DIAGRAM.read_text().splitlines()]
    groups: dict[str, list[str]] = {}
    inside: list[str] | None = None
    arrows: list[tuple[str, str]] = []
    for line in lines:
        if opened := re.fullmatch(r'state ".*" as (\w+) \{', line):
            inside = groups.setdefault(opened[1], [])
        elif line == "}":
            inside = None
        elif arrow := re.match(r"(\w+) --> (\w+)", line):
            arrows.append((arrow[1], arrow[2]))
        elif inside is not None and re.fullmatch(r"\w+", line):
            inside.append(line)
    return {
        (source, target)
        for start, end in arrows
        for source in groups.get(start, [start])
        for target in groups.get(end, [end])
    }


def test_the_diagram_of_the_docs_is_the_table() -> None:
    table = {
        (source.value, target.value) for source, targets in MAY_BECOME.items() for target in targets
    }
    assert _drawn() == table


def test_the_docs_explain_every_status_in_the_order_of_the_code() -> None:
    explained = re.findall(r"^\| `([a-z]+)` \|", DIAGRAM.read_text(), re.M)
    assert explained == Status.values


def test_every_visible_status_is_in_the_table() -> None:
    assert set(MAY_BECOME) == set(Status) - {Status.SENDING}
