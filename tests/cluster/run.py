"""A run: traffic, one fault after the other, then the comparison with the carrier's ledger."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from tests.cluster import judgement, outcome
from tests.cluster.faults import Fault
from tests.cluster.record import Record
from tests.cluster.report import FACES, Guarantee, Report, Row, kinds
from tests.cluster.sockets import STREAM, Listener
from tests.cluster.system import Cluster
from tests.cluster.traffic import MESSAGES_BURST, MESSAGES_PER_MINUTE, Client, Traffic
from tests.support.waiting import wait_until

_LISTENERS = 6
_TRAFFIC = ("API", "sockets", "delivery")
"""The faces that the traffic itself meets."""
_BETWEEN_SECONDS = 8
_READY_SECONDS, _DONE_SECONDS = 90, 240


class Run:
    """``rows`` is filled as the faults pass; ``finish`` judges."""

    def __init__(self, cluster: Cluster, say: Callable[[str], None]) -> None:
        self._cluster, self._say = cluster, say
        self._record, self._report = Record(), Report()
        probed = {web.name: f"{web.address}:8000" for web in cluster.webs}
        self._traffic = Traffic(cluster, self._record, probed=probed)
        self._without_redis: list[tuple[float, float]] = []
        self._listeners: list[Listener] = []

    def begin(self) -> None:
        self._client = Client(self._cluster, self._record, "grace-viewer")
        token = self._client.sign_in()
        self._listeners = [Listener(self._cluster, self._record, token) for _ in range(_LISTENERS)]
        for listener in self._listeners:
            listener.start()
        self._traffic.start()
        self._began = time.time()
        wait_until(lambda: self._record.answers.keys() >= set(_TRAFFIC), _READY_SECONDS)

    def meet(self, fault: Fault) -> None:
        began = time.time()
        with fault.meet(self._cluster):
            time.sleep(fault.seconds)
        ended = time.time()
        recovered = self._seconds_until_ready(ended)
        time.sleep(_BETWEEN_SECONDS)
        if fault.redis_is_away:
            self._without_redis.append((began, time.time()))
        row = self._row(fault, began, recovered)
        self._report.rows.append(row)
        silences = ", ".join(f"{face} {row.silences[face]:.1f}" for face in FACES)
        ready = "NOT READY" if recovered is None else f"ready after {recovered:.1f} s"
        self._say(f"{fault.name}: {ready}; silent {silences} s; {kinds(row.errors)}")

    def finish(self) -> Report:
        """End the traffic, wait until nothing is due, and judge."""
        self._traffic.no_new_texts()
        load = time.time() - self._began
        entries = self._entries_when_done()
        self._wait_for_the_head()
        self.stop()
        self._judge(entries)
        self._describe_load(load, len(entries))
        return self._report

    def stop(self) -> None:
        """End the traffic, so that no client asks a cluster that is gone."""
        self._traffic.stop()
        for listener in self._listeners:
            listener.stop()

    def _seconds_until_ready(self, ended: float) -> float | None:
        until = ended + _READY_SECONDS
        while not (self._cluster.is_ready() and self._cluster.redis.is_whole()):
            if time.time() > until:
                return None
            time.sleep(0.2)
        return time.time() - ended

    def _row(self, fault: Fault, began: float, recovered: float | None) -> Row:
        now = time.time()
        silences = {face: self._record.silence(face, began, now) for face in _TRAFFIC}
        alive = [web.name for web in self._cluster.webs if fault.dead_web not in (web.name, "all")]
        silences["healthz"] = max(
            (self._record.silence(f"healthz {name}", began, now) for name in alive), default=0.0
        )
        errors = self._record.errors_between(began, now)
        for name in [kind for kind in errors if kind.startswith("healthz")]:
            del errors[name]
        return Row(fault.name, recovered, silences, errors)

    def _entries_when_done(self) -> list[tuple[str, str]]:
        """Return the ledger when it holds every accepted text, or after four minutes."""
        until = time.time() + _DONE_SECONDS
        while True:
            entries = outcome.ledger(self._cluster)
            if not judgement.of_texts(self._record.promised, entries).lost or time.time() > until:
                return entries
            time.sleep(2)

    def _wait_for_the_head(self) -> None:
        until = time.time() + 60
        while time.time() < until:
            head = outcome.head(self._client)
            if all(listener.position == head for listener in self._listeners):
                return
            time.sleep(1)

    def _judge(self, entries: Sequence[tuple[str, str]]) -> None:
        record = self._record
        texts = judgement.of_texts(record.promised, entries)
        beyond = judgement.wrongly_admitted(
            record.admitted, MESSAGES_BURST, MESSAGES_PER_MINUTE / 60,
            away=self._without_redis, processes=len(self._cluster.webs),
        )  # fmt: skip
        head = outcome.head(self._client)
        behind = sum(listener.position != head for listener in self._listeners)
        webhooks = self._cluster.carrier_control("GET", "/ledger/summary")["webhooks"]
        given_up = int(webhooks["given_up"])
        missing = outcome.missing_inbound(self._cluster, self._client, record.inbound)
        self._report.guarantees = [
            Guarantee("accepted texts that are lost", texts.lost, "; ".join(texts.examples)),
            Guarantee("texts that were sent twice", texts.doubled),
            Guarantee(
                "requests admitted beyond a limit", beyond.requests,
                f"{len(record.admitted)} admitted, {record.refused} refused{_interval(beyond)}",
            ),
            Guarantee("gaps on sockets", record.gaps, f"{record.events} events"),
            Guarantee("doubled events on sockets", record.doubled_events),
            Guarantee("sockets that lost their place", record.resets),
            Guarantee(f"sockets of {STREAM} that are not at the head", behind),
            Guarantee(
                "texts of phones that are lost", max(0, missing - given_up),
                f"{len(record.inbound)} texts, {missing} missing; the carrier's reports: {webhooks}",
            ),
        ]  # fmt: skip

    def _describe_load(self, seconds: float, sent: int) -> None:
        record = self._record
        answers = len(record.answers.get("API", []))
        listening = ", ".join(f"{code}: {count}" for code, count in record.reconnects.items())
        self._report.load = [
            f"{seconds / 60:.1f} minutes; {answers} answers of the API ({answers / seconds:.1f}/s)",
            f"{len(record.promised)} texts and broadcasts accepted, {sent} entries in the ledger",
            f"errors of clients in all: {kinds(record.errors_between(0, time.time()))}",
            f"sockets connected again: {listening or 'none'}",
            f"latest event {record.lateness(0, time.time()):.1f} s after its commit",
        ]


def _interval(excess: judgement.Excess) -> str:
    if not excess.requests:
        return ""
    begin, end = (
        time.strftime("%H:%M:%S", time.localtime(at)) for at in (excess.begin, excess.end)
    )
    return f"; worst from {begin} to {end}"


def in_order(faults: Sequence[Fault], seed: int, minutes: float) -> list[Fault]:
    """Return each fault once in order, or as many as fit, then others at random by ``seed``."""
    chance = random.Random(seed)
    seconds = 60 * minutes
    chosen: list[Fault] = []
    first = list(faults)
    while seconds > 0:
        fault = first.pop(0) if first else chance.choice(faults)
        chosen.append(fault)
        seconds -= fault.seconds + _BETWEEN_SECONDS + 5
    return chosen
