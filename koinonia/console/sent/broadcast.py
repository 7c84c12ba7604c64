"""The page of one broadcast: its people by result and cause, and its Stop."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery.models import Message
from koinonia import audit
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.broadcasts.cancel import cancel_broadcast
from koinonia.broadcasts.progress import with_counts
from koinonia.console.paging import paged
from koinonia.console.sent import causes, lines
from koinonia.console.sent.audience_words import audience_in_words
from koinonia.console.sent.base import SentView, may_be_undone
from koinonia.console.sent.finding import MOST_PEOPLE
from koinonia.models import Broadcast, Member, Role
from koinonia.numbers import grouped
from koinonia.people.search import matching

_LONGEST_FIND = 100
_BROADCAST = PreparedQuery(
    lambda: Broadcast.objects.filter(
        church=Parameter("church"), pk=Parameter("key")
    ).select_related("author", "church", "series")
)


class _OneBroadcast(SentView):
    def broadcast(self, key: str) -> Broadcast:
        return with_counts([self.item(_BROADCAST, key)])[0]


class BroadcastView(_OneBroadcast):
    """The counts of a broadcast, the causes of its failures, and its people by group."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        broadcast, now = self.broadcast(key), timezone.now()
        group, code = request.GET.get("show", ""), request.GET.get("cause", "")
        find = request.GET.get("find", "").strip()[:_LONGEST_FIND]
        if group and group not in causes.SHOWN:
            raise Http404
        found = lines.line(broadcast)
        members = self._members(find) if find else []
        if find:
            texts: QuerySet[Message] | None = self._texts_to(broadcast, members[:MOST_PEOPLE])
        else:
            texts = self._texts(broadcast, group, code) if group else None
        counts = broadcast.counts()
        shown = {
            "line": found,
            "broadcast": broadcast,
            "audience": audience_in_words(self.church, broadcast),
            "parts": causes.parts(broadcast),
            "show": group,
            "cause": code,
            "find": find,
            "too_many_people": len(members) > MOST_PEOPLE,
            "people": None
            if texts is None
            else paged(request, texts, keep=("show", "cause", "find")),
            "label": causes.SHOWN[group][0] if group else "",
            "undo": may_be_undone(broadcast.due_at, broadcast.created_at, now),
            "may_be_stopped": bool(lines.number(counts, lines.WAITING))
            and broadcast.cancelled_at is None,
        }
        return self.page("koinonia/console/sent/broadcast.html", shown)

    def _members(self, find: str) -> list[int]:
        """Return the keys of the members with this name or number, at most one too many."""
        members = Member.objects.filter(church=self.church).order_by("search_key", "pk")
        named = members.filter(matching(find, self.church.country)).values_list("pk", flat=True)
        return list(named[: MOST_PEOPLE + 1])

    def _texts_to(self, broadcast: Broadcast, members: list[int]) -> QuerySet[Message]:
        rows = Message.objects.filter(tenant=self.church, batch=broadcast.pk)
        return rows.filter(recipient__in=members).select_related("recipient")

    def _texts(self, broadcast: Broadcast, group: str, code: str) -> QuerySet[Message]:
        rows = Message.objects.filter(tenant=self.church, batch=broadcast.pk)
        texts: QuerySet[Message] = causes.texts_of(rows, group, code)
        return texts.select_related("recipient")


class StopBroadcastView(_OneBroadcast):
    """Call back the texts that have not gone: Stop, Undo, or the cancelling of a planned broadcast.

    It asks before it cancels a planned one. Stop and Undo do not wait for an answer.
    """

    read_role = Role.SENDER

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        broadcast = self.broadcast(key)
        back = self.link("console-sent-broadcast", broadcast)
        if broadcast.due_at is None:
            return self.go(back)
        return self.ask(
            _("Leave out this time?") if broadcast.series_id else _("Cancel this broadcast?"),
            [lines.line(broadcast).people, _("It will not go out at this time, and you cannot undo this:")],
            words=broadcast.text, dates=[broadcast.due_at], back=back,
            yes=_("Leave it out") if broadcast.series_id else _("Cancel it"),
        )  # fmt: skip

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        broadcast = self.broadcast(key)
        # Each slice is cancelled in its own transaction, so that workers can send between two slices.
        called_back = cancel_broadcast(broadcast, now=timezone.now())
        # A worker may have begun it, or a colleague stopped it, since it was read.
        broadcast = self.broadcast(key)
        if called_back:
            detail = {"called_back": called_back}
            audit.record(self.church, self.user, "broadcast.cancelled", broadcast, detail)
            self._tell(broadcast, called_back)
        elif broadcast.cancelled_at is None:
            sentence = _("It is too late: no text of this broadcast waits any more.")
            self.notice(sentence, level=messages.WARNING)
        else:
            self.notice(_("It was stopped already."))
        return self.go(self.link("console-sent-broadcast", broadcast))

    def _tell(self, broadcast: Broadcast, called_back: int) -> None:
        if broadcast.ended_as:
            return self.notice(_("Cancelled. Nobody gets this broadcast."))
        gone = lines.number(broadcast.counts(), lines.GONE)
        first = ngettext(
            "Stopped. %(n)s text was called back.", "Stopped. %(n)s texts were called back.",
            called_back,
        )  # fmt: skip
        second = ngettext("%(n)s had gone already.", "%(n)s had gone already.", gone)
        sentences = [first % {"n": grouped(called_back)}]
        if gone:
            sentences.append(second % {"n": grouped(gone)})
        return self.notice(" ".join(sentences))
