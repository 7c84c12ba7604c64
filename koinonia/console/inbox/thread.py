"""The page of one conversation: its texts, the reply, notes, and the decisions of colleagues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from delivery.acceptable import UnacceptableError, check_recipient, check_sender
from delivery.content.encoding import size_rules
from delivery.models import OptOut
from koinonia import ids
from koinonia.console.frame import ConsoleView
from koinonia.console.inbox import statements
from koinonia.console.inbox.forms import NoteForm, ReplyForm
from koinonia.console.inbox.lists import Chosen
from koinonia.console.inbox.rows import NoteRow, Row, TextRow, listed
from koinonia.console.inbox.statements import NOTES
from koinonia.console.sharing import others_at
from koinonia.conversations import mark_read
from koinonia.inbox.tapbacks import bubbles
from koinonia.models import Conversation
from koinonia.models.member import called

TEXTS = 30
"""The texts that the page shows at first, and that "Show older" adds."""
MOST_TEXTS = 200
"""The texts of a page that stayed open while texts arrived."""
BESIDE = 20
"""The conversations beside the texts on a wide screen."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A section of the conversation, oldest first."""

    rows: list[TextRow]
    older: str
    """The id of the first text, if the conversation has earlier texts, else ``""``."""
    first: str
    last: str
    has_gap: bool
    """Texts that arrived are missing between this section and an older one on the page."""
    is_newest: bool


class ConversationPage(ConsoleView):
    """The base of all views below one conversation."""

    section = "inbox"

    @cached_property
    def conversation(self) -> Conversation:
        """Return the conversation of the address. Raises Http404 if the church does not have it."""
        key = ids.decode(self.kwargs["id"]) or 0
        found = statements.CONVERSATION.first(church=self.church.pk, key=key)
        if found is None:
            raise Http404("This church does not have the conversation.")
        return found

    @cached_property
    def chosen(self) -> Chosen:
        return Chosen(self.request.GET, self.membership)

    @cached_property
    def path(self) -> str:
        """Return the path of the conversation. The paths of its forms begin with it."""
        key = ids.encode(self.conversation.pk)
        return reverse("console-inbox-thread", args=[self.church.slug, key])

    @property
    def here(self) -> str:
        """Return the path of the conversation within the list that the user came from."""
        return f"{self.path}{self.chosen.as_query}"

    @property
    def back(self) -> str:
        """Return the path of the list that the user came from."""
        return reverse("console-inbox-list", args=[self.church.slug]) + self.chosen.as_query

    def read(self) -> None:
        """Mark the texts as read that the page has shown (``seen``)."""
        seen = ids.decode(self.request.POST.get("seen", ""))
        if seen is not None and self.conversation.unread_count:
            mark_read(self.conversation, now=timezone.now(), until=seen)

    def show(
        self, *, reply: ReplyForm | None = None, note: NoteForm | None = None, status: int = 200
    ) -> HttpResponse:
        """Render the page, with the forms as they were refused."""
        texts = self._texts()
        shown = {
            "row": Row(self.conversation, self.membership),
            "others": self._others(),
            "texts": texts,
            "chosen": self.chosen,
            "path": self.path,
            "here": self.here,
            "back": self.back,
            "closed": self._why_closed(),
            "reply": reply or ReplyForm(),
            "note": note or NoteForm(),
            "size_rules": size_rules(),
            **self._notes(),
            **({} if self.request.htmx else self._beside()),
        }
        response = self.page("koinonia/console/inbox/thread.html", shown, status)
        # The provider serves the pictures of texts.
        response._csp_update = {"img-src": ["https:"]}  # type: ignore[attr-defined] # read by django-csp
        return response

    def _others(self) -> list[tuple[str, str]]:
        """Return id and name of further members with this number, such as a spouse."""
        named, phone = self.conversation.member, self.conversation.phone
        found = others_at(self.church.pk, phone, but=named.pk if named else 0)
        return [(ids.encode(one.pk), called(one, self.church.country)) for one in found]

    def _texts(self) -> Texts:
        """Return the newest texts, the texts before ``?before=``, or those since ``?from=``."""
        before, since = (_key(self.request.GET.get(name)) for name in ("before", "from"))
        since = None if before else since
        most = MOST_TEXTS if since else TEXTS
        statement = statements.texts(before=bool(before), since=bool(since), most=most + 1)
        rows = statement.objects(
            church=self.church.pk, key=self.conversation.pk, before=before, since=since
        )
        more, messages = len(rows) > most, rows[:most][::-1]
        return Texts(
            [TextRow(bubble) for bubble in bubbles(messages)],
            older=ids.encode(messages[0].pk) if more and messages else "",
            first=ids.encode(messages[0].pk) if messages else "",
            last=ids.encode(messages[-1].pk) if messages else "",
            has_gap=bool(since and more),
            is_newest=not before,
        )

    def _why_closed(self) -> str:
        """Return the reason against an answer to this number, or ``""``."""
        try:
            check_recipient(self.conversation.phone)
            if not self.church.phone_number:
                check_sender(self.church)
        except UnacceptableError as error:
            return error.message
        return _why_opted_out(self.conversation.opted_out_by)  # type: ignore[attr-defined] # annotated

    def _notes(self) -> dict[str, Any]:
        every = self.request.GET.get("notes") == "all"
        statement = statements.ALL_NOTES if every else statements.FIRST_NOTES
        shown = statement.objects(key=self.conversation.pk)
        more = not every and len(shown) > NOTES
        shown = shown[:NOTES] if more else shown
        return {
            "notes": [NoteRow(one, one.author_id == self.user.pk) for one in shown],
            "more_notes": more,
        }

    def _beside(self) -> dict[str, Any]:
        """Return the conversations beside the texts, and where htmx gets them again."""
        rows = self.chosen.newest(BESIDE)
        path = reverse("console-inbox-list", args=[self.church.slug])
        query = urlencode({"beside": ids.encode(self.conversation.pk)})
        again = f"{path}?{query}" + (f"&{self.chosen.query}" if self.chosen.query else "")
        return {"rows": listed(rows, self.membership), "beside": again}

    def colleagues(self) -> list[tuple[str, str]]:
        """Return id and name of the colleagues who may answer."""
        rows = statements.COLLEAGUES.rows(church=self.church.pk)
        return [(ids.encode(key), name) for key, name in rows]

    def context(self) -> dict[str, Any]:
        return {**super().context(), "colleagues": self.colleagues}


class ThreadView(ConversationPage):
    """The texts to and from one number."""

    def get(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        return self.show()


class CallerView(ConversationPage):
    """The name, or the number as people write it, for a notice about a text of somebody without a name."""

    def get(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 -- as the path names it
        name = Row(self.conversation, self.membership).name
        return HttpResponse(name, content_type="text/plain; charset=utf-8")


def _key(text: str | None) -> int | None:
    return ids.decode(text) if text else None


def _why_opted_out(source: str | None) -> str:
    if source is None:
        return ""
    how = {
        OptOut.Source.KEYWORD: _("This person has texted STOP."),
        OptOut.Source.PROVIDER: _("This person has opted out at the phone company."),
        OptOut.Source.STAFF: _("A colleague has opted this number out."),
        OptOut.Source.FILE: _("An imported file says that this number opted out."),
    }
    begun = how[OptOut.Source(source)]
    return begun + " " + _("Only a START from this number allows texts again.")
