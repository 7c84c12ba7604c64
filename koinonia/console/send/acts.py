"""Sending the text of a form: rate limits, one send for each content, the next page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from delivery.accept import UnacceptableError
from koinonia.api.errors import ConflictError, UnprocessableError
from koinonia.broadcasts.send import send_broadcast
from koinonia.console.frame import ConsoleView
from koinonia.console.send.once import Made, Sent, send_once
from koinonia.console.sent.base import UNDO_FOR
from koinonia.models import Church
from koinonia.series.start import start_series
from koinonia.texts.send import MemberGoneError, send_text
from throttling import limits
from throttling.allowlist import Caller
from throttling.charges import ThrottleResult
from throttling.drf import LimitExceeded

_PAGES = {
    "broadcast": "console-sent-broadcast",
    "message": "console-sent-text",
    "series": "console-sent-series-item",
}


class Refused(Exception):  # noqa: N818 -- a sentence for people
    """The text was not sent; the message says why."""


def send(view: ConsoleView, body: dict[str, Any], given: dict[str, Any], now: datetime) -> Sent:
    """Send the text once. Raise ``UnacceptableError``, LimitExceeded or :class:`Refused`."""
    post = view.request.POST

    def act() -> Made:
        charged = _charge(view, broadcast="audience" in given)
        try:
            return _accept(view, given, now)
        except (UnacceptableError, MemberGoneError):
            # A refused text costs nothing, as in the API.
            charged.give_back(everything=True)
            raise

    try:
        return send_once(
            view.church, view.user, view.request.path, body, act,
            form=post.get("form", "")[:64], again=post.get("again", ""), now=now,
        )  # fmt: skip
    except MemberGoneError:
        raise Refused(_("This member was deleted a moment ago.")) from None
    except (ConflictError, UnprocessableError):
        raise Refused(_("This text is being sent in another window.")) from None


def _accept(view: ConsoleView, given: dict[str, Any], now: datetime) -> Made:
    if "repeat" in given:
        return start_series(
            view.church, given["text"], given["audience"], first_at=given["send_at"],
            repeat=given["repeat"], author=view.user, now=now,
        )  # fmt: skip
    send_at = given["send_at"] or now + UNDO_FOR
    if "audience" in given:
        return send_broadcast(
            view.church, given["text"], given["audience"], author=view.user,
            media_urls=given["media_urls"], scheduled_at=send_at, now=now,
        )  # fmt: skip
    member = given.get("member")
    return send_text(
        view.church, given["text"], to=member.phone if member else given["to"], member=member,
        author=view.user, media_urls=given["media_urls"], send_at=send_at, through="page", now=now,
    )  # fmt: skip


def _charge(view: ConsoleView, *, broadcast: bool) -> ThrottleResult:
    """Charge the limit that the API charges for the same text."""
    policy, key = ("broadcasts", view.church.slug) if broadcast else ("messages", str(view.user.pk))
    result = limits.charge(policy, key, caller=Caller(user=str(view.user.pk)))
    if not result.allowed:
        raise LimitExceeded(result)
    return result


def page_of(church: Church, sent: Sent) -> str:
    """Return the path of the page that shows the text."""
    return reverse(_PAGES[sent.kind], args=[church.slug, sent.id])
