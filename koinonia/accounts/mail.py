"""E-mail to staff: invitations, links that set a password."""

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

from koinonia.accounts.new_accounts import password_link
from koinonia.models import Invitation

MOST_WAITING = 100
"""Mails that this process sends at a time; beyond it they are not sent, and the log says so."""
_FAILURES = (OSError, smtplib.SMTPException)

logger = logging.getLogger(__name__)
_places = threading.BoundedSemaphore(MOST_WAITING)


class MailFailedError(Exception):
    """The mail server did not take the mail."""


def is_delivered() -> bool:
    """Return whether mail leaves this machine; by default it is printed on the console."""
    return not str(settings.EMAIL_BACKEND).endswith(("console.EmailBackend", "dummy.EmailBackend"))


def invitation_link(token: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('invitation', args=[token])}"


def send_invitation(invitation: Invitation, token: str) -> None:
    """Mail the link to the invited address. Raises MailFailedError."""
    context = {"invitation": invitation, "link": invitation_link(token)}
    subject = f"Invitation to {_one_line(invitation.church.name)} on Koinonia"
    _send(subject, "koinonia/mail/invitation.txt", context, invitation.email)


def send_password_link(user: User) -> None:
    """Mail a link by which the user sets a password. Raises MailFailedError."""
    context = {"user": user, "link": password_link(user)}
    _send("Your account on Koinonia", "koinonia/mail/set_password.txt", context, user.email)


def send_soon(message: EmailMessage) -> None:
    """Send without making the request wait, which would tell that there is somebody to mail to."""
    if not str(settings.EMAIL_BACKEND).endswith("smtp.EmailBackend"):
        message.send()
        return
    if not _places.acquire(blocking=False):
        logger.error("A mail was not sent: %s are being sent already.", MOST_WAITING)
        return
    threading.Thread(
        target=_send_and_tell, args=(message.send,), name="koinonia-mail", daemon=True
    ).start()


def _send_and_tell(send: Callable[[], int]) -> None:
    try:
        send()
    except _FAILURES as error:
        logger.error("A mail was not sent: %s", type(error).__name__)
    finally:
        _places.release()


def _send(subject: str, template: str, context: dict[str, object], to: str) -> None:
    try:
        send_mail(subject, render_to_string(template, context), None, [to])
    except _FAILURES as error:
        logger.error("A mail was not sent: %s", type(error).__name__)
        raise MailFailedError from error


def _one_line(text: str) -> str:
    return " ".join(text.split())
