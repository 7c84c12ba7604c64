"""The devices of a user: browser and system in words, and a coarse address."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError, transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from koinonia.accounts import session_store
from koinonia.accounts.session_store import Origin, SessionStore
from koinonia.accounts.tokens import without_waiting
from koinonia.models import UserSession
from koinonia.models.login import AGENT_LENGTH
from realtime import rights
from throttling.addresses import client_address

logger = logging.getLogger(__name__)

MOST_SHOWN = 50
"""The most sessions in a list, those first that were seen last."""
_MOST_READ = 500
"""The most sessions of a user that a list looks at: some are expired."""
SEEN_EVERY = timedelta(minutes=10)
_MOST_STORED = 10_000
_stored: dict[str, datetime] = {}
"""Session -> when this process stored a page of the session."""
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"), ("CriOS", "Chrome"), ("HeadlessChrome", "Chrome"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
"""A part of the User-Agent header -> browser. Most browsers also name those below them."""
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"),
    ("Windows", "Windows"), ("Macintosh", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
_KEPT_BITS = {4: 24, 6: 48}
"""The bits of an address that are kept: the network of a provider, not the line of a household."""


@dataclass(frozen=True, slots=True)
class Device:
    """A session in the list of the user."""

    id: str
    """Names the session on pages. The key itself would let a reader of the page take the session over."""
    is_this: bool
    name: str
    network: str
    started_at: datetime | None
    seen_at: datetime | None


def origin_of(request: HttpRequest, now: datetime) -> Origin:
    """Return the origin of a session that begins with this request."""
    agent = request.headers.get("User-Agent", "")[:AGENT_LENGTH].replace("\0", "")
    return Origin(agent, network_of(client_address(request)), now)


def remember(request: HttpRequest, **_: Any) -> None:
    """Receive ``user_logged_in``: keep the device with the session, when the session is saved."""
    session = request.session
    if isinstance(session, SessionStore):
        session.origin = origin_of(request, timezone.now())


def devices(user: User, present_key: str, now: datetime) -> tuple[list[Device], bool]:
    """Return the valid sessions of the user, and whether there are more than ``MOST_SHOWN``."""
    rows = UserSession.objects.filter(user=user).order_by(F("seen_at").desc(nulls_last=True), "pk")
    mine = {row.session_key: row for row in rows[:_MOST_READ]}
    valid = _valid(user, mine, now)
    shown = [
        Device(
            id=_public_id(key),
            is_this=key == present_key,
            name=name_of(row.agent),
            network=row.network,
            started_at=row.started_at,
            seen_at=row.seen_at,
        )
        for key, row in mine.items()
        if key in valid
    ]
    shown.sort(key=lambda device: not device.is_this)
    return shown[:MOST_SHOWN], len(shown) > MOST_SHOWN or len(mine) == _MOST_READ


def end(user: User, public_id: str, *, but: str) -> bool:
    """End the session with this id of a page; return False if the user has none.

    The session with the key ``but`` stays: it is the one of the request.
    """
    rows = UserSession.objects.filter(user=user).exclude(pk=but)
    keys = rows.values_list("session_key", flat=True)
    found = [key for key in keys if constant_time_compare(_public_id(key), public_id)]
    with transaction.atomic():
        Session.objects.filter(pk__in=found).delete()
        UserSession.objects.filter(pk__in=found).delete()
        # The sockets of the session close.
        rights.changed(user.pk)
    return bool(found)


def end_others(user: User, present_key: str) -> None:
    """End all sessions of the user but this one."""
    with transaction.atomic():
        session_store.end_all(user, but=present_key)
        rights.changed(user.pk)


def seen(key: str, now: datetime) -> None:
    """Store the time of a page, at most every ten minutes, without waiting for a lock."""
    if not _is_due(key, now):
        return
    rows = UserSession.objects.filter(pk=key)
    late = rows.filter(Q(seen_at=None) | Q(seen_at__lt=now - SEEN_EVERY))
    try:
        with without_waiting():
            late.update(seen_at=now)
    except OperationalError as error:
        logger.debug("Skipped storing the last page of a session: %s", error)


def name_of(agent: str) -> str:
    """Return browser and system in words: "Firefox on Windows"."""
    browser = next((name for part, name in _BROWSERS if part in agent), "")
    system = next((name for part, name in _SYSTEMS if part in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("An unknown browser")


def network_of(address: IPv4Address | IPv6Address | None) -> str:
    """Return the network of an address, such as 203.0.113.0/24; empty for an unknown address."""
    if address is None:
        return ""
    return str(ip_network(f"{address}/{_KEPT_BITS[address.version]}", strict=False))


def _valid(user: User, keys: Iterable[str], now: datetime) -> set[str]:
    """Return the keys of sessions that have neither expired nor ended with an earlier password."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    store = SessionStore()
    sessions = Session.objects.filter(pk__in=list(keys), expire_date__gt=now)
    found = set()
    for session in sessions:
        given = str(store.decode(session.session_data).get(HASH_SESSION_KEY, ""))
        if any(constant_time_compare(given, one) for one in hashes):
            found.add(session.session_key)
    return found


def _public_id(key: str) -> str:
    return salted_hmac("koinonia.accounts.devices", key, algorithm="sha256").hexdigest()[:20]


def _is_due(key: str, now: datetime) -> bool:
    """Return whether this process has not stored a page of the session for ten minutes."""
    last = _stored.get(key)
    if last is not None and now - last < SEEN_EVERY:
        return False
    if len(_stored) >= _MOST_STORED:
        _stored.clear()
    _stored[key] = now
    return True
