"""The checks of a draft before it is accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from delivery import conf
from delivery.content import media_urls
from delivery.content.encoding import MAX_PARTS, Measured, measure_message
from delivery.content.plain_punctuation import advice
from delivery.content.visible_text import clean, is_blank
from delivery.drafts import DEFAULT_LIFE, Draft
from delivery.senders import Sender, sender_of

MAX_MEDIA = media_urls.MOST
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL stores no NUL, and UTF-8 no lone surrogate."""


class UnacceptableError(ValueError):
    """The message cannot be sent. ``field`` names the field that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Times:
    """The due time and the expiry of a message."""

    scheduled_at: datetime | None
    expires_at: datetime
    waits: bool
    """True if it is due later. A scheduled time that has come counts as now."""


def check_times(scheduled_at: datetime | None, expires_at: datetime | None, now: datetime) -> Times:
    """Return the times. Raise :class:`UnacceptableError` if the message would be too old when due."""
    due = max(scheduled_at or now, now)
    if expires_at is not None and expires_at <= due:
        raise UnacceptableError("expires_at", _("This text would expire before it is due."))
    return Times(scheduled_at, expires_at or due + DEFAULT_LIFE, waits=due > now)


def check_sender(tenant: Model) -> Sender:
    """Return the tenant's sender. Raises :class:`UnacceptableError` where it has no number."""
    sender = sender_of(tenant)
    if sender is None:
        raise UnacceptableError(
            "from", _("There is no number to text from yet: the operator gives one.")
        )
    return sender


def check_recipient(number: str) -> None:
    """Refuse a sender with a name ("MYBANK") in place of a number: it cannot receive replies."""
    if not _NUMBER.fullmatch(number):
        raise UnacceptableError(
            "to", _("This sender is a name and not a number, so it cannot be answered.")
        )


def check_content(draft: Draft) -> tuple[str, Measured]:
    """Return the cleaned text and its measure. Raise :class:`UnacceptableError`."""
    text, media = clean(draft.text), bool(draft.media_urls)
    if is_blank(text) and not media:
        raise UnacceptableError("text", _("A text needs words or media."))
    if _UNSTORABLE.search(draft.text):
        raise UnacceptableError("text", _("This text holds characters that cannot be sent."))
    check_media(draft.media_urls)
    if draft.failure:
        return text, measure_message(text, media=media)
    return text, check_length(text, media=media)


CONTENT = (
    "to_number", "recipient_id", "thread", "text", "encoding", "parts", "template", "media_urls",
)  # fmt: skip
"""The columns that each message takes from its draft."""


def content_of(draft: Draft, text: str, measured: Measured) -> tuple[Any, ...]:
    """Return the values of ``CONTENT``. ``text`` and ``measured`` come from :func:`check_content`."""
    return (
        draft.to, draft.recipient_id, draft.thread, text, str(measured.encoding), measured.parts,
        draft.template, list(draft.media_urls),
    )  # fmt: skip


def check_length(text: str, *, media: bool = False) -> Measured:
    """Return the measure of a cleaned text. Raise :class:`UnacceptableError` if it is too long."""
    measured = measure_message(text, media=media)
    if measured.parts > MAX_PARTS:
        reason = _("This text needs %(parts)s parts; at most %(most)s can be sent.")
        reason %= {"parts": measured.parts, "most": MAX_PARTS}
        raise UnacceptableError("text", " ".join(filter(None, [reason, advice(text)])))
    return measured


def check_media(urls: Sequence[str]) -> None:
    """Raise :class:`UnacceptableError` for too many media, or for one that the provider cannot fetch."""
    if len(urls) > MAX_MEDIA:
        sentence = _("At most %(most)s media can be sent.") % {"most": MAX_MEDIA}
        raise UnacceptableError("media_urls", sentence)
    own = conf.own_media()
    for url in urls:
        is_own = bool(own) and url.startswith(own) and len(url) <= media_urls.LONGEST
        if not is_own and (reason := media_urls.refusal(url)):
            raise UnacceptableError("media_urls", reason)
