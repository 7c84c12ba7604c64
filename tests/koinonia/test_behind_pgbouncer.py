"""The whole system behind PgBouncer in transaction pooling, with a new connection per transaction."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.support import pgbouncer
from tests.support.running_system import RunningSystem, database_environment
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(pgbouncer.PROGRAM is None, reason="There is no pgbouncer on this machine."),
    pytest.mark.skipif(
        "KOINONIA_TEST_POSTGRES" not in os.environ, reason="PgBouncer stands before PostgreSQL."
    ),
]

DEAD = "+17015554310"
"""The simulator rejects this number permanently (40310)."""
LETTERS = 40
SECONDS = 6


class Office:
    """An API client of Grace church's staff."""

    def __init__(self, system: RunningSystem) -> None:
        self.url = f"{system.url}/api/v1/churches/grace/"
        self.headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(
            method, self.url + path, headers=self.headers, timeout=30, **options
        )

    def text(self, to: str) -> str:
        answer = self.ask("POST", "messages/", json={"to": to, "text": "Rehearsal at seven"})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def status(self, message: str) -> str:
        return str(self.ask("GET", f"messages/{message}/").json()["status"])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    directory = tmp_path_factory.mktemp("pooled")
    pool = pgbouncer.PgBouncer(directory / "pgbouncer", os.environ["KOINONIA_TEST_POSTGRES"])
    database = database_environment()["DATABASE_URL"].rpartition("/")[2]
    given = {"THROTTLING_ENABLED": "0", "DELIVERY_RETRY_DELAYS": "0,0,0"}
    system = RunningSystem(directory / "up", DATABASE_URL=pool.url(database), **given)
    try:
        with system:
            yield Office(system)
    finally:
        pool.stop()


def test_a_text_is_delivered(office: Office) -> None:
    message = office.text("+13125550123")
    wait_until(lambda: office.status(message) == "delivered", 60)


def test_dead_letters_are_exported_under_other_load(office: Office) -> None:
    for _ in range(LETTERS):
        office.text(DEAD)
    wait_until(lambda: len(_exported(office)) == LETTERS + 1, 90)
    until = time.monotonic() + SECONDS
    answers: Counter[tuple[str, int]] = Counter()
    lock = threading.Lock()

    def keep_asking(path: str) -> None:
        while time.monotonic() < until:
            status = office.ask("GET", path).status_code
            with lock:
                answers[path.partition("?")[0], status] += 1

    paths = ["dead-letters/export/", "members/?page_size=200", "messages/", "delivery/"] * 3
    with ThreadPoolExecutor(len(paths)) as many:
        list(many.map(keep_asking, paths))
    assert {status for _, status in answers} == {200}, answers
    assert answers["dead-letters/export/", 200] >= 10


def _exported(office: Office) -> list[str]:
    answer = office.ask("GET", "dead-letters/export/")
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


def test_a_repeated_idempotent_post_waits_for_the_first(office: Office) -> None:
    """Send one key from six threads. The lock timeout of the view must not leak to other requests."""
    headers = {**office.headers, "Idempotency-Key": "behind-pgbouncer"}
    body = {"to": "+13125550124", "text": "Once"}

    def post(_: int) -> requests.Response:
        return requests.post(f"{office.url}messages/", json=body, headers=headers, timeout=30)

    with ThreadPoolExecutor(6) as many:
        answers = list(many.map(post, range(6)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
