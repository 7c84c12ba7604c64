"""The CPU cost of hostile bodies is bounded. ``bench/bench_bodies.py`` is the long form."""

from __future__ import annotations

import json
import statistics

import pytest

from koinonia import ids
from tests.support.body_costs import Asked, Office, requests_of
from tests.support.hostile_bodies import JSON

SIZE = 100_000
GREATEST_RATIO = 20
"""The worst body once cost as much as 77 ordinary texts."""
LONG_RATIO = 40
"""Reading the megabytes of the body alone takes time."""
SHARE = 37
"""The test uses every thirty-seventh of some thousand bodies of the benchmark."""
ALWAYS = (
    "groups: ids that are",
    "audience: an audience",
    "audience: as many",
    "ids: empty strings",
    "ids: ids that are",
    "keys that are like",
)


def chosen(office: Office) -> list[Asked]:
    """Return the bodies that were expensive before, and a sample of all."""
    every = list(requests_of(office, SIZE))
    aimed = [
        asked for asked in every
        if any(told in asked.told for told in ALWAYS)
    ]  # fmt: skip
    return aimed + every[::SHARE]


@pytest.mark.django_db
def test_no_body_costs_more_than_twenty_ordinary_texts() -> None:
    """Compare CPU time of this process, so that a busy machine has no influence."""
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


@pytest.mark.django_db
def test_the_longest_possible_list_of_ids_costs_little_more() -> None:
    """Count ids before decoding them: decoding the whole list once took seconds of CPU."""
    office = Office()
    ordinary = statistics.median(office.ordinary() for _ in range(8))
    path = f"/api/v1/churches/grace/members/{ids.encode(office.ids['members'])}/"
    named = [ids.encode(key) for key in range(200_000)]
    body = json.dumps({"groups": named}).encode()
    cost = office.cost(Asked("a long list", "PATCH", path, JSON, body))
    assert cost <= LONG_RATIO * ordinary
