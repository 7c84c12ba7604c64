"""Whatever is killed or cut while texts flow: none is lost, none is sent twice, all are delivered.

The provider stands outside of what is broken; its ledger is the witness. Short here, all of it with
``make chaos``.
"""

from __future__ import annotations

import os

import pytest

from tests.delivery.chaos import troubles
from tests.delivery.chaos.platform import Platform
from tests.delivery.chaos.troubles import Trouble
from tests.delivery.chaos.victims import PARTS, WEB

POSTGRES = "KOINONIA_TEST_POSTGRES" in os.environ

SHORT: dict[str, Trouble] = {
    "the web, the sentinel and the worker are killed": troubles.kill_in_turn(
        WEB, "sentinel", "worker"
    ),
    "Redis is killed and is back at once": troubles.redis_is_down(0),
    "answers are lost after acceptance": troubles.answers_are_lost,
}
LONG: dict[str, Trouble] = {
    **{f"the {part} is killed": troubles.kill(part) for part in PARTS},
    "Redis is flushed five times": troubles.flush,
    "each process is killed in turn": troubles.kill_in_turn(*PARTS),
    "everything is killed at once": troubles.kill_everything,
    "Redis is down for 5 s": troubles.redis_is_down(5),
    "Redis is down for 60 s": troubles.redis_is_down(60),
    "Redis hangs for 5 s": troubles.redis_hangs(5),
    "the provider answers 503 for 15 s": troubles.answers_503(15),
    "the provider is gone for 60 s": troubles.refuses(60),
    "the provider hangs up for 10 s": troubles.hangs_up(10),
    "webhooks come in a storm": troubles.webhook_storm,
}
if POSTGRES:
    LONG["PostgreSQL crashes in the middle"] = troubles.database_crashes
else:
    LONG["SQLite is locked for 10 s"] = troubles.database_is_locked(10)
    LONG["SQLite is locked for longer than anybody waits"] = troubles.database_is_locked(25)


def _judge(platform: Platform, trouble: Trouble, seconds: float) -> None:
    texts = platform.begin()
    with texts.singles.flowing():
        trouble(platform, texts)
    texts.judge(seconds)


@pytest.mark.parametrize("trouble", SHORT.values(), ids=SHORT.keys())
def test_nothing_is_lost_or_doubled_when(platform: Platform, trouble: Trouble) -> None:
    _judge(platform, trouble, seconds=60)


@pytest.mark.chaos
@pytest.mark.parametrize("trouble", LONG.values(), ids=LONG.keys())
def test_in_the_long_run_nothing_is_lost_or_doubled_when(
    platform: Platform, trouble: Trouble
) -> None:
    _judge(platform, trouble, seconds=180)
