"""No body costs much more than an ordinary one: the short form of ``bench/bench_bodies.py``."""

from __future__ import annotations

import statistics

import pytest

from tests.body_costs import Asked, Office, requests_of

SIZE = 100_000
GREATEST_RATIO = 20
SHARE = 37
"""Of the thousand bodies of the benchmark, each thirty-seventh."""
ALWAYS = (
    "groups: ids that are",
    "audience: an audience",
    "ids: ids that are",
    "keys that are like",
)


def chosen(office: Office) -> list[Asked]:
    """Return those that were found dear before, aimed at lists of ids, and a share of the rest."""
    every = list(requests_of(office, SIZE))
    aimed = [
        asked for asked in every
        if any(told in asked.told for told in ALWAYS)
    ]  # fmt: skip
    return aimed + every[::SHARE]


@pytest.mark.django_db
def test_no_body_costs_more_than_twenty_ordinary_texts() -> None:
    """CPU time of this process, so that a busy machine does not count."""
    office = Office()
    ordinary = [office.ordinary() for _ in range(8)]
    dear: list[tuple[float, Asked]] = []
    for asked in chosen(office):
        cost = office.cost(asked)
        if cost > GREATEST_RATIO / 2 * statistics.median(ordinary):
            cost = min(cost, office.cost(asked), office.cost(asked))
            ordinary.append(office.ordinary())
        dear.append((cost, asked))
    worst, asked = max(dear, key=lambda one: one[0])
    assert worst <= GREATEST_RATIO * statistics.median(ordinary), asked.told
    assert len(dear) > 40
