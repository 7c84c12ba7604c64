"""A table of goals and measured figures."""

from __future__ import annotations


class Goals:
    def __init__(self) -> None:
        self._rows: list[tuple[str, str, float, bool]] = []

    def at_least(self, what: str, goal: float, measured: float) -> None:
        self._rows.append((what, f">= {goal:,.4g}", measured, measured >= goal))

    def at_most(self, what: str, goal: float, measured: float) -> None:
        self._rows.append((what, f"<= {goal:,.4g}", measured, measured <= goal))

    def report(self) -> None:
        width = max(len(what) for what, *_ in self._rows)
        print(f"\n{'':{width}}{'goal':>12}{'measured':>12}")  # noqa: T201
        for what, goal, measured, met in self._rows:
            print(f"{what:{width}}{goal:>12}{measured:>12,.4g}  {'met' if met else 'MISSED'}")  # noqa: T201
