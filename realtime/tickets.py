"""Single-use tickets that open one socket, for clients that cannot send a header or a cookie."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from realtime import conf
from realtime.credentials import Credential
from realtime.models import Ticket


def issue(credential: Credential, *, now: datetime) -> tuple[str, datetime]:
    """Return a new ticket of URL-safe characters, and its expiry."""
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
    """Use up a ticket and return its credential; None if it is unknown, used or expired."""
    found = Ticket.objects.filter(digest=_digest(ticket)).first()
    # Two sockets may race with one ticket: only one of them deletes the row.
    if (
        found is None
        or not Ticket.objects.filter(pk=found.pk).delete()[0]
        or found.expires_at <= now
    ):
        return None
    return Credential(found.user_id, found.session_hash, found.session_key, found.bearer)


def withdraw(user_id: int) -> None:
    """Delete the unused tickets of the user."""
    Ticket.objects.filter(user_id=user_id).delete()


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
