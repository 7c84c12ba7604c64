"""E-mail to staff: invitations and links that set a password."""

from __future__ import annotations

import logging
import smtplib
import threading
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from koinonia.accounts.new_accounts import password_link
from koinonia.models import Invitation
from koinonia.zones import zone_named

MAX_WAITING = 100
"""Limit of concurrent e-mails per process. Further e-mails are dropped and logged."""
_FAILURES = (OSError, smtplib.SMTPException)

logger = logging.getLogger(__name__)
_slots = threading.BoundedSemaphore(MAX_WAITING)


class MailFailedError(Exception):
    """The mail server did not take the mail."""


def is_delivered(backend: str = "") -> bool:
    """Return whether e-mail leaves this machine; the default backend prints it on the console."""
    used = backend or str(settings.EMAIL_BACKEND)
    return not used.endswith(("console.EmailBackend", "dummy.EmailBackend"))


def invitation_link(token: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('invitation', args=[token])}"


def send_invitation(invitation: Invitation, token: str) -> None:
    """Send the link to the invited address, in the language of the church. Raise MailFailedError."""
    church = invitation.church
    context = {"invitation": invitation, "link": invitation_link(token)}
    with translation.override(church.language), timezone.override(zone_named(church.timezone)):
        subject = _("Invitation to %(church)s on Koinonia") % {"church": _one_line(church.name)}
        _send(subject, "koinonia/mail/invitation.txt", context, invitation.email)


def send_password_link(user: User) -> None:
    """Send a link to set a password. Raise MailFailedError."""
    context = {"user": user, "link": password_link(user)}
    _send(_("Your account on Koinonia"), "koinonia/mail/set_password.txt", context, user.email)


def send_soon(message: EmailMessage) -> None:
    """Send in a thread: the response time must not tell whether the address has an account."""
    if not str(settings.EMAIL_BACKEND).endswith("smtp.EmailBackend"):
        message.send()
        return
    if not _slots.acquire(blocking=False):
        _log_unsent(f"{MAX_WAITING} mails are waiting already")
        return
    threading.Thread(
        target=_send_and_log, args=(message.send,), name="koinonia-mail", daemon=True
    ).start()


def _send_and_log(send: Callable[[], int]) -> None:
    try:
        send()
    except _FAILURES as error:
        _log_unsent(type(error).__name__)
    finally:
        _slots.release()


def _log_unsent(reason: str) -> None:
    logger.warning("A mail was not sent: %s", reason, extra={"action": "mail_not_sent"})


def _send(subject: str, template: str, context: dict[str, object], to: str) -> None:
    try:
        send_mail(subject, render_to_string(template, context), None, [to])
    except _FAILURES as error:
        _log_unsent(type(error).__name__)
        raise MailFailedError from error


def _one_line(text: str) -> str:
    return " ".join(text.split())
