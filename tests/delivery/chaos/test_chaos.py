"""Kill and cut parts of the system during sending: no message is lost or sent twice, and all are
delivered.

The provider is outside the disruption; its ledger is the evidence. ``make chaos`` runs all of it.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.delivery.chaos import disruptions
from tests.delivery.chaos.disruptions import Disruption
from tests.delivery.chaos.forged_webhooks import Mint, storm
from tests.delivery.chaos.platform import Platform
from tests.delivery.chaos.processes import PARTS, WEB
from tests.support.waiting import wait_until

GRACE = "+13125550001"
POSTGRES = "KOINONIA_TEST_POSTGRES" in os.environ

SHORT: dict[str, Disruption] = {
    "the web, the sentinel and the worker are killed": disruptions.kill_in_turn(
        WEB, "sentinel", "worker"
    ),
    "Redis is killed and is back at once": disruptions.redis_is_down(0),
    "answers are lost after acceptance": disruptions.answers_are_lost,
}
LONG: dict[str, Disruption] = {
    **{f"the {part} is killed": disruptions.kill(part) for part in PARTS},
    "Redis is flushed five times": disruptions.flush,
    "each process is killed in turn": disruptions.kill_in_turn(*PARTS),
    "everything is killed at once": disruptions.kill_everything,
    "Redis is down for 5 s": disruptions.redis_is_down(5),
    "Redis is down for 60 s": disruptions.redis_is_down(60),
    "Redis hangs for 5 s": disruptions.redis_hangs(5),
    "the provider answers 503 for 15 s": disruptions.answers_503(15),
    "the provider is gone for 60 s": disruptions.refuses(60),
    "the provider hangs up for 10 s": disruptions.hangs_up(10),
    "webhooks come in a storm": disruptions.webhook_storm,
}
if POSTGRES:
    LONG["PostgreSQL crashes in the middle"] = disruptions.database_crashes
else:
    LONG["SQLite is locked for 10 s"] = disruptions.database_is_locked(10)
    LONG["SQLite is locked for longer than anybody waits"] = disruptions.database_is_locked(25)

_STORED = "SELECT event_id FROM delivery_webhookevent WHERE event_id LIKE '{}-%'"
_RECEIVED = "SELECT text FROM delivery_message WHERE direction = 'inbound' AND text LIKE '{}-%'"


def _judge(platform: Platform, disruption: Disruption, seconds: float) -> None:
    texts = platform.begin()
    with texts.singles.flowing():
        disruption(platform, texts)
    texts.judge(seconds)


@pytest.mark.parametrize("disruption", SHORT.values(), ids=SHORT.keys())
def test_no_message_is_lost_or_doubled_when(platform: Platform, disruption: Disruption) -> None:
    _judge(platform, disruption, seconds=60)


@pytest.mark.chaos
@pytest.mark.parametrize("disruption", LONG.values(), ids=LONG.keys())
def test_in_a_long_run_no_message_is_lost_or_doubled_when(
    platform: Platform, disruption: Disruption
) -> None:
    _judge(platform, disruption, seconds=180)


@pytest.mark.parametrize(
    "rounds", [25, pytest.param(200, marks=pytest.mark.chaos)], ids=["short", "long"]
)
def test_in_a_flood_of_forged_webhooks_genuine_ones_are_applied_once(
    platform: Platform, rounds: int
) -> None:
    texts = platform.begin()
    with texts.singles.flowing():
        mint = Mint(platform.telnyx.account.keys, to=GRACE)
        good, answers = storm(mint, f"{platform.system.url}/webhooks/telnyx/", rounds)
    assert answers.pop("good") == {200}
    assert answers.pop("huge") == {413}
    assert answers.pop("broken off") == answers.pop("huge and broken off") == {0}
    assert {kind: told for kind, told in answers.items() if told != {400}} == {}

    received, stored = _RECEIVED.format(mint.mark), _STORED.format(mint.mark)
    wait_until(lambda: len(platform.query(received)) >= len(good), 60)
    assert Counter(text for (text,) in platform.query(received)) == Counter(good)
    events = sorted(event for (event,) in platform.query(stored))
    assert events == sorted(f"{mark}-event" for mark in good)
    texts.judge(seconds=60)
