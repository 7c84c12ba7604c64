"""Send the notices that are due: by e-mail, and by a webhook that is signed as Standard Webhooks says.

Each is sent at least once. A failure is tried again, later each time, for a day.
"""

from __future__ import annotations

import json
import logging
import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone

from koinonia.config.alert_rules import Alerts
from koinonia.models import AlertNotice
from koinonia.webhooks.addresses import Reach
from koinonia.webhooks.posting import NoAnswerError, Poster
from koinonia.webhooks.signing import sign

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 5
GIVEN_UP_AFTER = timedelta(hours=24)
_LONGER_THAN_A_TRY = timedelta(minutes=5)
"""Longer than all tries of one turn take: a post ends after 15 s."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
_DOUBLINGS = 7
_HEADERS = {"Content-Type": "application/json", "User-Agent": "Koinonia-Alerts/1"}


class NotSentError(Exception):
    """A channel did not take the notice. ``code`` says why, without an address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code[:60]


def send_due(rules: Alerts, now: datetime) -> int:
    """Send the due notices, and return how many the channels took."""
    waiting = AlertNotice.objects.filter(sent_at=None, given_up_at=None, due_at__lte=now)
    return sum(
        _try(notice, rules, now) for notice in waiting.order_by("due_at", "pk")[:MOST_AT_ONCE]
    )


def _try(notice: AlertNotice, rules: Alerts, now: datetime) -> bool:
    rows = AlertNotice.objects.filter(pk=notice.pk, sent_at=None, given_up_at=None)
    # The later time tells other processes that this one is trying it.
    mine = rows.filter(due_at=notice.due_at).update(
        due_at=now + _LONGER_THAN_A_TRY, tries=F("tries") + 1
    )
    if not mine:
        return False
    try:
        _SENDERS[notice.channel](notice, rules)
    except NotSentError as error:
        _failed(notice, error, now)
        return False
    rows.update(sent_at=now, error="")
    return True


def _failed(notice: AlertNotice, error: NotSentError, now: datetime) -> None:
    pause = min(_SHORTEST_PAUSE * 2 ** min(notice.tries, _DOUBLINGS), _LONGEST_PAUSE)
    ended = now + pause - notice.made_at >= GIVEN_UP_AFTER
    rows = AlertNotice.objects.filter(pk=notice.pk, sent_at=None)
    rows.update(due_at=now + pause, given_up_at=now if ended else None, error=error.code)
    extra = {"action": "alert_not_sent", "channel": notice.channel, "error": error.code}
    if ended:
        logger.error("An alert could not be sent for a day; it is given up", extra=extra)
    else:
        logger.warning("An alert was not sent; it is tried again", extra=extra)


def _mail(notice: AlertNotice, rules: Alerts) -> None:
    alerts = notice.body["alerts"]
    context = {"alerts": alerts, "is_last": notice.body["is_last"], "admin": _admin()}
    text = render_to_string("koinonia/mail/alert.txt", context)
    try:
        EmailMessage(_subject(alerts), text, to=list(rules.email)).send()
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(type(error).__name__) from error


def _subject(alerts: list[dict[str, Any]]) -> str:
    first = alerts[0]
    word = "Over" if first["state"] == "over" else "Trouble"
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return f"Koinonia: {word}: {' '.join(first['sentence'].split())}"[:150] + more


def _post(notice: AlertNotice, rules: Alerts) -> None:
    if not rules.webhook_url or not rules.webhook_secrets:
        raise NotSentError("not_configured")
    sent_at = timezone.now()
    document = {
        "type": "alerts",
        "timestamp": f"{notice.made_at:%Y-%m-%dT%H:%M:%SZ}",
        "data": {**notice.body, "admin": _admin()},
    }
    body = json.dumps(document).encode()
    signature = sign(rules.webhook_secrets, f"alert_{notice.pk}", sent_at, body)
    # The operator chose the address: it may be of the own network. A notice is rare, so no connection is kept.
    poster = Poster(Reach.ANY)
    try:
        answer = poster.post(rules.webhook_url, body, {**_HEADERS, **signature})
    except NoAnswerError as error:
        raise NotSentError(error.code) from error
    finally:
        poster.close()
    if not 200 <= answer.status < 300:
        raise NotSentError(f"http_{answer.status}")


def _admin() -> str:
    return f"{settings.PUBLIC_URL}/admin/"


_SENDERS: dict[str, Callable[[AlertNotice, Alerts], None]] = {
    AlertNotice.Channel.MAIL: _mail,
    AlertNotice.Channel.WEBHOOK: _post,
}
