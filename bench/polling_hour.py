"""An hour of an office, put together from what was measured of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from polling_office import IN_VAIN, STAFF, Desks

HOUR, ASLEEP = 3600, 20 * 60
SETTLE = 5
"""Seconds until nothing of a happening is left."""


class Hours:
    """Puts each office's hour together."""

    def __init__(self, offices: list[Desks]) -> None:
        self.offices = offices
        self.left = float(HOUR)
        self.parts: dict[str, dict[str, dict[str, float]]] = {}
        print(f"{'requests in the hour':28}" + "".join(f"{o.name:>10}" for o in offices))  # noqa: T201

    def window(
        self, what: str, times: float, act: Callable[[], None], enough: Callable[[], bool]
    ) -> None:
        """Measures what happens ``times`` in an hour, from ``act`` until ``enough`` and settled."""
        began = time.monotonic()
        self._forget()
        act()
        while not enough():
            self.let_pass(0.5)
        self.let_pass(SETTLE)
        self.left -= times * (time.monotonic() - began)
        self._keep(what, times)

    def quiet(self, seconds: float) -> None:
        """Measures nothing happening: all that is left of the hour, but for who sleeps."""
        self._forget()
        self.let_pass(seconds)
        awake = self.left - ASLEEP / STAFF
        self._keep("the quiet rest", awake / seconds)

    def waking(self) -> None:
        """The laptop of the first desk is away, and comes back."""
        for asleep in (True, False):
            self._forget()
            for office in self.offices:
                office.pages[0].context.set_offline(asleep)
            self.let_pass(SETTLE)
        self._add("one laptop wakes", {o.name: dict(o.taken()[0]) for o in self.offices})

    def let_pass(self, seconds: float) -> None:
        """Hears what the pages ask meanwhile."""
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
