"""The first page of the admin: whether anything is wrong, in one sentence, and the figures behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from delivery.admin.renewal import EVERY_SECONDS, part
from delivery.desk.durations import since
from delivery.desk.overview import Kept, Trouble
from delivery.templatetags.delivery_desk import desk_context
from koinonia.desk import menu
from koinonia.desk.versions import versions
from koinonia.health import heartbeat
from koinonia.health.heartbeat import LiveProcess
from koinonia.webhooks.lag import Lag, lag

_OUTGOING_LATE = timedelta(minutes=2)
_lag = Kept(lag)


@dataclass(frozen=True, slots=True)
class Processes:
    """The web and worker processes that live; None: Redis does not answer, so they are unknown.

    Without any line, Redis was flushed or has just started: the processes write again within seconds.
    """

    found: list[LiveProcess] | None

    @property
    def lines(self) -> list[tuple[str, int]]:
        """Return kind and number of each kind of process."""
        counts = Counter(one.kind for one in self.found or ())
        return [("Web processes", counts["web"]), ("Workers", counts["worker"])]

    @property
    def releases(self) -> list[tuple[str, str, int]]:
        """Return release, kind and number, if several releases run."""
        counts = Counter((one.release, one.kind) for one in self.found or ())
        if len({release for release, _ in counts}) < 2:
            return []
        return [(release, kind, number) for (release, kind), number in sorted(counts.items())]

    def troubles(self) -> list[Trouble]:
        if self.found is None:
            return [Trouble("warn", "Redis does not answer: sending is slower, and loses nothing.")]
        if self.found and not any(one.kind == "worker" for one in self.found):
            return [Trouble("bad", "No worker runs: texts wait until one is started.")]
        if self.releases:
            return [Trouble("warn", "Two releases run beside each other: an upgrade goes on.")]
        return []


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The webhooks of churches, in words."""

    lag: Lag
    now: datetime

    @property
    def waiting(self) -> str:
        return f"{self.lag.waiting:,}{'' if self.lag.is_complete else '+'}"

    @property
    def oldest(self) -> str:
        return since(self.lag.oldest, self.now)

    @property
    def late(self) -> str:
        """Return for how long no worker has sent a webhook that it could send; empty if none is late."""
        late_since = self.lag.late_since
        is_late = late_since is not None and self.now - late_since > _OUTGOING_LATE
        return since(late_since, self.now) if is_late else ""

    def troubles(self) -> list[Trouble]:
        if not self.late:
            return []
        sentence = f"The webhooks of churches have not been sent for {self.late}: see whether the workers run."
        return [Trouble("warn", sentence)]


@dataclass(frozen=True, slots=True)
class Shown:
    """A trouble, and the page that helps, if the user may see it."""

    tone: str
    sentence: str
    page: str = ""
    url: str = ""


def _shown(trouble: Trouble, user: Any) -> Shown:
    entry = menu.entry_of_label(f"delivery.{trouble.model}")
    if entry is None or not user.has_perm(f"delivery.view_{trouble.model}"):
        return Shown(trouble.tone, trouble.sentence)
    url = reverse(f"admin:delivery_{trouble.model}_changelist") + trouble.query
    return Shown(trouble.tone, trouble.sentence, entry.name, url)


def context(user: Any, now: datetime) -> dict[str, Any]:
    """Return the context of the parts of the page; without the right to see them, ``desk`` is None."""
    found = desk_context(user)
    if found["desk"] is None:
        return found
    processes, outgoing = Processes(heartbeat.alive(now)), Outgoing(_lag.get(now), now)
    troubles = [*processes.troubles(), *found["desk"].troubles, *outgoing.troubles()]
    shown = [_shown(one, user) for one in sorted(troubles, key=lambda one: one.tone)]
    return {
        **found,
        "processes": processes,
        "outgoing": outgoing,
        "versions": versions(),
        "troubles": shown[1:],
        "verdict": shown[0] if shown else None,
        "every": EVERY_SECONDS,
    }


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Answer the parts of the page that renew themselves."""
    shown = context(request.user, timezone.now())
    if shown["desk"] is None:
        raise PermissionDenied
    return part(request, "koinonia/desk/_parts.html", shown)
