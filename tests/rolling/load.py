"""Traffic on a site, and the checks of its results."""

from __future__ import annotations

from collections import Counter
from typing import Self

from tests.cluster import judgement, outcome
from tests.cluster.record import Record
from tests.cluster.sockets import Listener
from tests.cluster.traffic import Client, Pace, Traffic
from tests.rolling.site import RollingSite
from tests.support.waiting import wait_until

LISTENERS = 4
PACE = Pace(singles=0.4, broadcasts=30, flood=None, inbound=0.5, polls=0.5, logins=4, patience=60)
_DONE_SECONDS = 90


class Load:
    """``with Load(site) as load``; ``load.record`` holds the clients' answers and errors."""

    def __init__(self, site: RollingSite) -> None:
        self._site = site
        self.record = Record()
        self._traffic = Traffic(site, self.record, PACE)

    def __enter__(self) -> Self:
        self._client = Client(self._site, self.record, "grace-viewer", PACE.patience)
        token = self._client.sign_in()
        self._listeners = [Listener(self._site, self.record, token) for _ in range(LISTENERS)]
        for listener in self._listeners:
            listener.start()
        self._traffic.start()
        wait_until(self._is_flowing, 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._traffic.stop()
        for listener in self._listeners:
            listener.stop()

    @property
    def errors(self) -> Counter[str]:
        return Counter(kind for _, kind in self.record.errors)

    def judge(self) -> None:
        """Let the queue run dry, and check that nothing was lost, doubled or left out."""
        self._traffic.no_new_texts()
        wait_until(lambda: not self._texts().lost, _DONE_SECONDS, pause=0.5)
        texts = self._texts()
        assert (texts.lost, texts.doubled) == (0, 0), texts.examples
        wait_until(lambda: not self._missing(), _DONE_SECONDS, pause=0.5)
        wait_until(self._all_reported, _DONE_SECONDS, pause=0.5)
        wait_until(self._at_the_head, _DONE_SECONDS, pause=0.5)
        record = self.record
        assert (record.gaps, record.doubled_events, record.resets) == (0, 0, 0)

    def webhooks(self) -> dict[str, int]:
        """Return the carrier's counts: ``attempts``, ``delivered``, ``given_up``."""
        found: dict[str, int] = self._site.carrier_control("GET", "/ledger/summary")["webhooks"]
        return found

    def _is_flowing(self) -> bool:
        record = self.record
        return bool(record.events and len(record.promised) > 3 and record.answers.get("delivery"))

    def _texts(self) -> judgement.Judgement:
        return judgement.of_texts(self.record.promised, outcome.ledger(self._site))

    def _missing(self) -> int:
        return outcome.missing_inbound(self._site, self._client, self.record.inbound)

    def _all_reported(self) -> bool:
        """Return whether the church's page calls each text that was sent delivered."""
        path = "/api/v1/churches/grace/messages/?page_size=1&direction=outbound&status="
        waiting = ("queued", "sending", "accepted", "sent")
        answers = [self._client.ask("GET", path + status) for status in waiting]
        return all(answer is not None and not answer.json()["results"] for answer in answers)

    def _at_the_head(self) -> bool:
        head = outcome.head(self._client)
        return all(listener.position == head for listener in self._listeners)
