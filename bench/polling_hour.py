"""An hour of an office: the sum of its measured parts."""

from __future__ import annotations

import time
from collections.abc import Callable

from polling_office import IN_VAIN, STAFF, Desks

HOUR, ASLEEP = 3600, 20 * 60
SETTLE = 5
"""After so many seconds, a measured part causes no further requests."""


class Hours:
    """Measures the parts, and adds them up to the hour of each office."""

    def __init__(self, offices: list[Desks]) -> None:
        self.offices = offices
        self.left = float(HOUR)
        self.parts: dict[str, dict[str, dict[str, float]]] = {}
        print(f"{'requests in the hour':28}" + "".join(f"{o.name:>10}" for o in offices))  # noqa: T201

    def window(
        self, what: str, times: float, act: Callable[[], None], enough: Callable[[], bool]
    ) -> None:
        """Measure a part that occurs ``times`` in an hour: from ``act`` until ``enough`` and ``SETTLE``."""
        began = time.monotonic()
        self._forget()
        act()
        while not enough():
            self.let_pass(0.5)
        self.let_pass(SETTLE)
        self.left -= times * (time.monotonic() - began)
        self._keep(what, times)

    def quiet(self, seconds: float) -> None:
        """Measure a quiet window for the remainder of the hour; subtract the sleeping laptop."""
        self._forget()
        self.let_pass(seconds)
        awake = self.left - ASLEEP / STAFF
        self._keep("the quiet remainder", awake / seconds)

    def waking(self) -> None:
        """Measure how the laptop of the first desk loses its network and gets the network back."""
        for asleep in (True, False):
            self._forget()
            for office in self.offices:
                office.pages[0].context.set_offline(asleep)
            self.let_pass(SETTLE)
        self._add("one laptop wakes", {o.name: dict(o.taken()[0]) for o in self.offices})

    def let_pass(self, seconds: float) -> None:
        """Wait, and count the requests of the pages."""
        self.offices[-1].pages[-1].wait_for_timeout(seconds * 1000)

    def _forget(self) -> None:
        self.let_pass(0.2)
        for office in self.offices:
            office.taken()

    def _keep(self, what: str, times: float) -> None:
        self._add(
            what,
            {o.name: {kind: n * times for kind, n in o.all().items()} for o in self.offices},
        )

    def _add(self, what: str, asked: dict[str, dict[str, float]]) -> None:
        self.parts[what] = asked
        print_row(what, [arrived(asked[office.name]) for office in self.offices])

    def totals(self) -> dict[str, dict[str, float]]:
        kinds = ("page", "list", "events", "handshake", IN_VAIN)
        return {
            o.name: {k: sum(p[o.name].get(k, 0) for p in self.parts.values()) for k in kinds}
            for o in self.offices
        }


def print_row(what: str, counts: list[float]) -> None:
    print(f"{what:28}" + "".join(f"{count:>10,.0f}" for count in counts), flush=True)  # noqa: T201


def arrived(asked: dict[str, float]) -> float:
    return sum(count for kind, count in asked.items() if kind != IN_VAIN)
