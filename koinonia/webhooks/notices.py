"""Tells the owners of a church by e-mail that a webhook was switched off. The console tells it too."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from koinonia.models import Role, Staff, WebhookEndpoint

logger = logging.getLogger(__name__)

_MOST_AT_ONCE = 10
_FAILURES = (OSError, smtplib.SMTPException)


def send_due(now: datetime) -> int:
    """Send the mails that are owed; return their number. A mail that fails is sent again later."""
    owed = WebhookEndpoint.objects.filter(owes_notice=True).select_related("church")
    sent = 0
    for endpoint in owed.order_by("pk")[:_MOST_AT_ONCE]:
        # The first worker that clears the mark sends.
        mine = WebhookEndpoint.objects.filter(pk=endpoint.pk, owes_notice=True)
        if not mine.update(owes_notice=False):
            continue
        try:
            sent += _send(endpoint)
        except _FAILURES as error:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).exclude(off="").update(owes_notice=True)
            extra = {"action": "mail_not_sent", "error": type(error).__name__}
            logger.warning("The mail about a webhook was not sent", extra=extra)
            break
    return sent


def _send(endpoint: WebhookEndpoint) -> int:
    owners = Staff.objects.filter(church=endpoint.church, role=Role.OWNER, user__is_active=True)
    to = sorted(set(owners.exclude(user__email="").values_list("user__email", flat=True)))
    page = reverse("console-webhook", args=[endpoint.church.slug, endpoint.mark])
    context = {
        "endpoint": endpoint,
        "page": f"{settings.PUBLIC_URL}{page}",
        "days": settings.REALTIME["RETENTION_DAYS"],
    }
    subject = " ".join(f"A webhook of {endpoint.church.name} was switched off".split())
    body = render_to_string("koinonia/mail/webhook_off.txt", context)
    # Each owner gets a mail, and no other address with it.
    return sum(send_mail(subject, body, None, [address]) for address in to)
