"""Single-use rights to open one socket, for clients that cannot send a header or a cookie."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from realtime import conf
from realtime.credentials import Credential
from realtime.models import Ticket


def issue(credential: Credential, *, now: datetime) -> tuple[str, datetime]:
    """A new ticket and when it expires. The ticket is made of URL-safe token characters."""
    ticket = secrets.token_urlsafe(32)
    expires_at = now + timedelta(seconds=conf.ticket_seconds())
    Ticket.objects.create(
        digest=_digest(ticket),
        user_id=credential.user_id,
        session_hash=credential.session_hash,
        session_key=credential.session_key,
        bearer=credential.bearer,
        expires_at=expires_at,
    )
    return ticket, expires_at


def redeem(ticket: str, *, now: datetime) -> Credential | None:
    """What the ticket stands for, once; None where it is unknown, used or expired."""
    found = Ticket.objects.filter(digest=_digest(ticket)).first()
    # Of two at once, one deletes the row.
    if (
        found is None
        or not Ticket.objects.filter(pk=found.pk).delete()[0]
        or found.expires_at <= now
    ):
        return None
    return Credential(found.user_id, found.session_hash, found.session_key, found.bearer)


def withdraw(user_id: int) -> None:
    """Delete every ticket of the user that was not used yet."""
    Ticket.objects.filter(user_id=user_id).delete()


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
