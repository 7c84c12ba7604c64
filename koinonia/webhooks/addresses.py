"""Refuse the URL of a webhook by its spelling, and its host by its addresses.

An owner chooses the URL, and this machine calls it. Without these rules a URL could make the machine
call itself, its neighbours or the metadata service of its cloud (server-side request forgery).
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from delivery.content.public_addresses import is_public

LONGEST = 500
_HTTPS = 443
_FIRST_FREE_PORT = 1024


class Reach(Enum):
    """The hosts that a poster may call."""

    PUBLIC = "public"
    """Hosts on the internet, by https."""
    LOOPBACK = "loopback"
    """This machine too, by http: for development and tests."""
    ANY = "any"
    """Every host, by http too: for addresses that the operator has configured."""

    def allows(self, address: str) -> bool:
        """Return whether a connection may be opened to the numeric ``address``."""
        if self is Reach.ANY:
            return True
        if self is Reach.LOOPBACK and ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            return True
        return is_public(address)


def reach() -> Reach:
    """Return the reach of the addresses that owners choose."""
    return Reach.LOOPBACK if settings.WEBHOOKS_TO_LOOPBACK else Reach.PUBLIC


class HostRefusedError(Exception):
    """The host has an address that may not be called."""


def refusal(url: str, reach: Reach = Reach.PUBLIC) -> str:
    """Return the reason, as a sentence, why no webhook may go to ``url``; empty if one may.

    It judges the spelling only. ``resolve`` judges the addresses of the host, at each connection.
    """
    if len(url) > LONGEST:
        return _("The address has more than %(most)d characters.") % {"most": LONGEST}
    if any(letter == "\\" or unicodedata.category(letter)[0] in "CZ" for letter in url):
        return _("The address contains a space, a backslash or an invisible character. Remove it.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        return _("This is not a web address. Write it like https://example.org/webhooks.")
    if parts.scheme not in {"http", "https"} or not host:
        return _("This is not a web address. Write it like https://example.org/webhooks.")
    if "@" in parts.netloc or parts.fragment:
        return _("The address must not contain a user name, a password or a # part.")
    if parts.scheme == "http" and not (reach is Reach.ANY or _is_loopback(host, reach)):
        return _("The address must begin with https://, so that nobody on the way can read it.")
    if reach is Reach.PUBLIC and port not in {None, _HTTPS} and (port or 0) < _FIRST_FREE_PORT:
        return _("The address must use port 443, or one from 1024 on.")
    number = _number_of(host)
    if (number and not reach.allows(number)) or (_is_own_name(host) and reach is Reach.PUBLIC):
        return _("The address must name a host that is public on the internet.")
    return ""


def resolve(host: str, port: int, reach: Reach) -> list[tuple[Any, ...]]:
    """Return the addresses of ``host`` as ``getaddrinfo`` does; each one may be called.

    Raise HostRefusedError if a single one may not: a public host has no address in a private network.
    Raise OSError if the name cannot be resolved. The caller connects to these addresses and does not
    resolve the name again, because a second answer could differ (DNS rebinding).
    """
    found: list[tuple[Any, ...]] = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    if not all(reach.allows(entry[4][0]) for entry in found):
        raise HostRefusedError(host)
    return found


def _is_loopback(host: str, reach: Reach) -> bool:
    if reach is not Reach.LOOPBACK:
        return False
    return host == "localhost" or (_is_number(host) and ipaddress.ip_address(host).is_loopback)


def _number_of(host: str) -> str:
    """Return the address that ``host`` spells, also as 127.1 or 0x7f000001; empty for a name."""
    if _is_number(host):
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return ""


def _is_own_name(host: str) -> bool:
    """Return whether each machine means itself by this name (RFC 6761)."""
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
