"""The figures that a benchmark prints: lines for people, and one line of JSON for each figure.

``bench/side_by_side.py`` reads the lines of JSON: ``{"name": "cpu_per_text", "value": 9.9, "unit": "ms"}``.
"""

from __future__ import annotations

import json
import sys


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_figure(name: str, value: float, unit: str) -> None:
    """Print one figure for the table. ``unit``: ``ms``, ``s``, ``texts/s``, ``x`` (a ratio), ``MB``, ``count``."""
    say(json.dumps({"name": name, "value": round(value, 4), "unit": unit}))


def figures_in(output: str) -> dict[str, float]:
    """Return the values by name in the output of a benchmark; a later line replaces an earlier one."""
    found: dict[str, float] = {}
    for line in output.splitlines():
        if line.startswith('{"name": '):
            figure = json.loads(line)
            found[str(figure["name"])] = float(figure["value"])
    return found
