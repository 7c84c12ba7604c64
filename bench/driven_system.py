"""A running system that a benchmark drives like an office and a carrier: through the API and the ledger."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from process_cost import cpu_seconds
from system_parts import PASSWORD, Parts

_LONGEST_SECONDS = 1800
_PAUSE = 0.1
_LEDGER_PAGE = 10_000
_GROUP = "All of the benchmark"
_WEBHOOKS_PER_TEXT = 2


@dataclass(frozen=True)
class Delivered:
    """The cost of one broadcast, from its POST until the delivery of its last text."""

    texts: int
    seconds: float
    accepted_seconds: float
    cpu: dict[str, float]
    """Seconds of CPU by group of processes."""
    lost: int
    doubled: int
    webhook_attempts: int

    @property
    def per_second(self) -> float:
        return self.texts / self.seconds

    def ms_per_text(self, *groups: str) -> float:
        return sum(self.cpu.get(group, 0.0) for group in groups) * 1000 / self.texts


class DrivenSystem:
    """A church with ``members`` recipients in one group, and its owner's session."""

    def __init__(self, parts: Parts, members: int) -> None:
        self.parts = parts
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = parts.verify
        self._session.headers["Authorization"] = f"Bearer {self.token('grace-owner')}"
        self._number = 0
        self.groups: dict[int, str] = {}
        self.grow(members)

    def token(self, username: str) -> str:
        body = {"username": username, "password": PASSWORD}
        found: str = self._ask("POST", "/api/v1/auth/login/", json=body).json()["token"]
        return found

    def grow(self, members: int) -> None:
        """Import a group of ``members`` recipients, unless a group of that size exists."""
        if members not in self.groups:
            name = f"{_GROUP} {members}"
            text = _people(members, name)
            self._church("POST", "members/import/", data=text, headers={"Content-Type": "text/csv"})
            groups = self._church("GET", "groups/?page_size=200").json()["results"]
            found = next(group for group in groups if group["name"] == name)
            if found["members_count"] != members:
                raise RuntimeError(
                    f"Imported {found['members_count']} members instead of {members}."
                )
            self.groups[members] = found["id"]

    def deliver(self, texts: int) -> Delivered:
        """Send a broadcast to the group of ``texts`` members, and wait until each text is delivered."""
        self._number += 1
        words = (
            f"Number {self._number} for {{first_name}}: choir practice is at seven, not at eight."
        )
        attempts, finished, cpu = (
            self._webhooks()["attempts"],
            self._webhooks_finished(),
            self._cpu(),
        )
        start = time.perf_counter()
        body = {"text": words, "audience": {"groups": [self.groups[texts]]}}
        broadcast = self._church("POST", "broadcasts/", json=body).json()
        accepted = time.perf_counter() - start
        expected = finished + _WEBHOOKS_PER_TEXT * texts
        # The simulator answers while the texts are on their way: that costs the system nothing.
        _wait(lambda: self._webhooks_finished() >= expected)
        path = f"broadcasts/{broadcast['id']}/"
        _wait(lambda: self._church("GET", path).json()["counts"].get("delivered", 0) == texts)
        seconds = time.perf_counter() - start
        after = self._cpu()
        lost, doubled = self._compare_with_ledger(f"Number {self._number} for ", texts)
        return Delivered(
            texts, seconds, accepted, {group: after[group] - cpu[group] for group in after},
            lost, doubled, self._webhooks()["attempts"] - attempts,
        )  # fmt: skip

    def _compare_with_ledger(self, start: str, texts: int) -> tuple[int, int]:
        """Return how many members the provider has no text for, and how many texts are too many."""
        counts: Counter[str] = Counter()
        after, total = 0, 1
        while after < total:
            page = self.parts.ledger(f"/ledger?after={after}&limit={_LEDGER_PAGE}")
            total, after = page["total"], page["next"] or page["total"]
            counts.update(
                entry["to"] for entry in page["entries"] if entry["text"].startswith(start)
            )
        return texts - len(counts), counts.total() - len(counts)

    def _webhooks_finished(self) -> int:
        counts = self._webhooks()
        return counts["delivered"] + counts["given_up"]

    def _webhooks(self) -> dict[str, int]:
        found: dict[str, int] = self.parts.ledger()["webhooks"]
        return found

    def _cpu(self) -> dict[str, float]:
        return {group: cpu_seconds(pids) for group, pids in self.parts.processes.items()}

    def _church(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._ask(method, f"/api/v1/churches/grace/{path}", **options)

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self._session.request(method, self.parts.url + path, timeout=300, **options)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:2000]}")
        return answer


def _people(members: int, group: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["first_name", "last_name", "phone", "groups"])
    for number in range(members):
        phone = f"+1206{220 + number // 10_000}{number % 10_000:04}"
        writer.writerow([f"Name{number}", "Brown", phone, group])
    return text.getvalue().encode()


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"The texts were not delivered within {_LONGEST_SECONDS} s.")
        time.sleep(_PAUSE)
