"""Disruptions while messages are being sent. Each function returns when its disruption is over."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable
from functools import partial

import redis
import requests

from delivery.providers.telnyx.simulator.faults import fault
from tests.delivery.chaos.platform import Platform, Texts
from tests.delivery.chaos.processes import kill_all, kill_part
from tests.support.waiting import wait_until

Disruption = Callable[[Platform, Texts], None]


def kill(part: str) -> Disruption:
    def disruption(platform: Platform, texts: Texts) -> None:
        texts.wait_until_sending()
        kill_part(platform.system.data_dir, part)

    return disruption


def kill_in_turn(*parts: str) -> Disruption:
    def disruption(platform: Platform, texts: Texts) -> None:
        for part in parts:
            kill_part(platform.system.data_dir, part)

    return disruption


def kill_everything(platform: Platform, texts: Texts) -> None:
    texts.wait_until_sending()
    kill_all(platform.system.data_dir)
    platform.valkey.process.kill()
    platform.valkey.process.wait()
    platform.valkey.start()
    platform.system.process.wait()
    platform.system.start()


def flush(platform: Platform, texts: Texts) -> None:
    with redis.Redis.from_url(platform.valkey.url) as client:
        for _ in range(5):
            texts.wait_until_sending()
            client.flushall()


def redis_is_down(seconds: float) -> Disruption:
    """Kill Redis: connections are refused."""

    def disruption(platform: Platform, texts: Texts) -> None:
        texts.wait_until_sending()
        platform.valkey.process.kill()
        platform.valkey.process.wait()
        time.sleep(seconds)
        platform.valkey.start()

    return disruption


def redis_hangs(seconds: float) -> Disruption:
    """Stop Redis: it accepts connections but does not answer."""

    def disruption(platform: Platform, texts: Texts) -> None:
        texts.wait_until_sending()
        platform.valkey.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        platform.valkey.process.send_signal(signal.SIGCONT)

    return disruption


def database_crashes(platform: Platform, texts: Texts) -> None:
    """Kill PostgreSQL twice, without a checkpoint."""
    assert platform.postgres is not None
    for _ in range(2):
        texts.wait_until_sending()
        platform.postgres.stop("immediate")
        platform.postgres.start()


def database_is_locked(seconds: float) -> Disruption:
    """Hold SQLite's write lock for some seconds."""

    def disruption(platform: Platform, texts: Texts) -> None:
        texts.wait_until_sending()
        other = sqlite3.connect(platform.system.data_dir / "koinonia.sqlite3", timeout=30)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.rollback()
        other.close()

    return disruption


def outage(mode: str, seconds: float) -> Disruption:
    def disruption(platform: Platform, texts: Texts) -> None:
        texts.wait_until_sending()
        platform.telnyx.start_outage(mode)
        time.sleep(seconds)
        platform.telnyx.end_outage()

    return disruption


def answers_are_lost(platform: Platform, texts: Texts) -> None:
    """Accept three of ten messages without an answer, and refuse one of ten."""
    plan = platform.telnyx.account.plan
    plan.add(fault("503"), probability=0.1, seed=1)
    plan.add(fault("drop"), probability=0.2, seed=2)
    plan.add(fault("accepted_504"), probability=0.1, seed=3)
    for _ in range(4):
        texts.wait_until_sending()
    plan.clear()


def webhook_storm(platform: Platform, texts: Texts) -> None:
    """Send each webhook twice, out of order, some before the API answer, with replies from every
    recipient."""
    plan = platform.telnyx.account.plan
    for name in ("duplicated", "reordered", "unknown_event"):
        plan.add(fault(name), probability=1)
    plan.add(fault("webhook_first"), probability=0.3, seed=4)
    platform.telnyx.account.options.change(
        {"webhook_url": f"{platform.system.url}/webhooks/telnyx/"}
    )
    before = _received(platform)
    for number in range(200):
        _reply(platform, number)
    wait_until(lambda: _received(platform) == before + 200, 60)


def _reply(platform: Platform, number: int) -> None:
    text = {"from": f"+1773555{number:04}", "to": "+13125550001", "text": "Amen"}
    requests.post(f"{platform.telnyx.control}/inbound", json=text, timeout=5).raise_for_status()


def _received(platform: Platform) -> int:
    rows = platform.query("SELECT COUNT(*) FROM delivery_message WHERE direction = 'inbound'")
    return int(rows[0][0])


refuses = partial(outage, "refuse")
answers_503 = partial(outage, "503")
hangs_up = partial(outage, "close")
