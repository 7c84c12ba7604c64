"""The conversations, texts and notes in the form that the templates of the inbox need."""

from __future__ import annotations

import re
from collections.abc import (
    Iterable,
    Sequence,
)
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import (
    OuterRef,
    QuerySet,
    Subquery,
)
from django.template.defaultfilters import (
    linebreaksbr,
    urlizetrunc,
)
from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.safestring import SafeString

from delivery.models import Direction, Message
from koinonia.console.words import shortened
from koinonia.ids import encode
from koinonia.inbox import media
from koinonia.inbox.tapbacks import Bubble, Tapback, tapback_in
from koinonia.models import Conversation, InboxState, Note, Staff
from koinonia.phone import as_written

_SHOWN = 120
"""Letters of the last text in a list."""
_MAY_LINK = re.compile(r"://|@|\.\w")
_LONGEST_LINK = 60


def with_rows(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Join the rows of other tables that a list shows, with the columns that it shows."""
    joined = conversations.select_related("member", "last_message", "assigned_to__user")
    return joined.only(
        "church_id", "phone", "unread_count", "state", "inbox_at", "updated_at", "assigned_to_id",
        "member__first_name", "member__last_name", "last_message__text",
        "last_message__direction", "last_message__created_at", "last_message__asks_to_stop",
        "last_message__media_urls",
        "assigned_to__user__username",
    )  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A conversation in a list, and at the head of its page."""

    conversation: Conversation
    mine: Staff
    unread: Message | None = None
    """The person's latest unread text, if a text to the person came after it."""
    is_unread_unknown: bool = False
    """True if such a text exists but was not read from the database."""

    @property
    def id(self) -> str:
        return encode(self.conversation.pk)

    @cached_property
    def name(self) -> str:
        member = self.conversation.member
        return (member.name if member else "") or self.number

    @property
    def initials(self) -> str:
        """Return the first letters of the first and the last name; "#" for a bare number."""
        letters = [word[0] for word in self.name.split() if word[0].isalpha()]
        return "".join(letters[:1] + letters[1:][-1:]).upper() or "#"

    @property
    def number(self) -> str:
        """Return the number as the church's country writes it."""
        return as_written(self.conversation.phone, self.mine.church.country)

    @property
    def member_id(self) -> str:
        member = self.conversation.member
        return encode(member.pk) if member else ""

    @property
    def last(self) -> Message | None:
        """Return the text that the list shows: an unread one before a later text of the office."""
        if self.is_unread_unknown:
            return None
        return self.unread or self.conversation.last_message

    @property
    def last_is_ours(self) -> bool:
        return self.last is not None and self.last.direction == Direction.OUTBOUND

    @property
    def words(self) -> str:
        """Return the beginning of the last text, or the kind of its first file."""
        if self.last is None:
            return ""
        words = shortened(self.last.text, _SHOWN)
        return words or next(map(media.kind_of, self.last.media_urls), "")

    @cached_property
    def last_tapback(self) -> Tapback | None:
        return tapback_in(self.last.text) if self.last and not self.last_is_ours else None

    @property
    def answerer(self) -> str:
        membership = self.conversation.assigned_to
        return membership.user.get_username() if membership else ""

    @property
    def is_mine(self) -> bool:
        return self.conversation.assigned_to_id == self.mine.pk

    @property
    def is_open(self) -> bool:
        return self.conversation.state == InboxState.OPEN

    @property
    def is_done(self) -> bool:
        return self.conversation.state == InboxState.DONE


def listed(conversations: Iterable[Conversation], mine: Staff) -> list[Row]:
    """Return the rows of a list. A query if one of them has an unread text before one of the office."""
    shown = list(conversations)
    hidden = [one.pk for one in shown if _hides_unread(one)]
    unread = _latest_unread(hidden) if hidden else {}
    return [Row(one, mine, unread.get(one.pk)) for one in shown]


def listed_without_query(conversations: Iterable[Conversation], mine: Staff) -> list[Row]:
    """Return the rows of a list, without the words of an unread text before one of the office."""
    return [Row(one, mine, is_unread_unknown=_hides_unread(one)) for one in conversations]


def _hides_unread(talk: Conversation) -> bool:
    last = talk.last_message
    return bool(talk.unread_count and last and last.direction == Direction.OUTBOUND)


def _latest_unread(threads: Sequence[int]) -> dict[int, Message]:
    """Return the latest unread text of each conversation, by the key of the conversation."""
    theirs = Message.objects.filter(
        thread=OuterRef("pk"), direction=Direction.INBOUND, read_at__isnull=True
    )
    latest = Conversation.objects.filter(pk__in=threads).values(
        latest=Subquery(theirs.order_by("-pk").values("pk")[:1])
    )
    return {message.thread or 0: message for message in Message.objects.filter(pk__in=latest)}


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture or another file of a text."""

    url: str
    place: str
    """The host that a click leads to."""
    kind: str
    is_shown: bool
    """The page may load it as a picture: by https, or from this site."""


@dataclass(frozen=True)
class TextRow:
    """A text of the conversation."""

    bubble: Bubble

    @property
    def message(self) -> Message:
        return self.bubble.message

    @property
    def id(self) -> str:
        return encode(self.message.pk)

    @property
    def is_ours(self) -> bool:
        return self.message.direction == Direction.OUTBOUND

    @property
    def broadcast_id(self) -> str:
        return encode(self.message.batch) if self.message.batch else ""

    @property
    def author(self) -> str:
        return self.message.author.get_username() if self.message.author else ""

    @property
    def words(self) -> SafeString:
        """Return the text as HTML, with its links and lines."""
        text = self.message.text
        # Django looks at each word for a link: most texts have none.
        linked = urlizetrunc(text, _LONGEST_LINK) if _MAY_LINK.search(text) else escape(text)
        return linebreaksbr(linked)

    @property
    def files(self) -> list[Medium]:
        return [_medium(url) for url in self.message.media_urls]


@dataclass(frozen=True, slots=True)
class NoteRow:
    note: Note
    is_mine: bool

    @property
    def id(self) -> str:
        return encode(self.note.pk)

    @property
    def author(self) -> Any:
        return self.note.author.get_username() if self.note.author else ""


def _medium(url: str) -> Medium:
    split = urlsplit(url)
    may_load = split.scheme == "https" or not split.netloc
    return Medium(
        url, split.hostname or "", media.kind_of(url), may_load and media.may_be_a_picture(url)
    )
