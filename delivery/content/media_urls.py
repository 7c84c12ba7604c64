"""Check by its spelling that a media URL names a public host.

The provider fetches these URLs, and pages show them. Names are not resolved: an address may change
between the check and the fetch.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from delivery.content.public_addresses import is_public

MOST = 10
LONGEST = 2000

_PORTS = {None, 80, 443, 8080, 8443}
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
"""With a last label of this form, the host is an IPv4 address (URL Standard, "ends in a number")."""
_PRIVATE_ENDINGS = (
    "localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan",
    "home.arpa", "in-addr.arpa", "ip6.arpa", "onion", "test", "invalid",
)  # fmt: skip
"""RFC 6761, 6762, 8375 and 9476, ICANN's reserved ``internal``, and common names of local networks."""
_LOOPBACK_SERVICES = ("localtest.me", "lvh.me", "nip.io", "sslip.io", "xip.io")
"""Public names that resolve to any address, including loopback."""


def refusal(url: str) -> str:
    """Return the reason, as a sentence, why ``url`` is refused; empty if it is a public web address."""
    if len(url) > LONGEST:
        return _("A media URL may have at most %(most)s characters.") % {"most": LONGEST}
    if any(_is_odd(letter) for letter in url):
        return _("A media URL contains a space, a backslash or an invisible character. Remove it.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return _("This is not a media URL. Write it like https://example.org/picture.jpg.")
    if parts.scheme not in {"http", "https"} or not host:
        return _("A media URL begins with https:// (or http://) and the name of a host.")
    if "@" in parts.netloc:
        return _("A media URL must not contain a user name or a password.")
    if port not in _PORTS:
        return _("A media URL uses the usual port of http or https. Leave the port out.")
    return (
        ""
        if _is_public(host)
        else _("A media URL must name a host that is public on the internet.")
    )


def _is_odd(letter: str) -> bool:
    return letter == "\\" or unicodedata.category(letter)[0] in "CZ"


def _is_public(host: str) -> bool:
    if ":" in host:
        return is_public(host)
    # Browsers and HTTP clients read full-width digits and ideographic full stops as plain ones.
    name = unicodedata.normalize("NFKC", host).replace("\u3002", ".").casefold().removesuffix(".")
    try:
        name = name.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    if _NUMBER.fullmatch(labels[-1]):
        # Accept dotted decimal only: decimal, hexadecimal, octal and short forms hide an address.
        return is_public(name)
    endings = _PRIVATE_ENDINGS + _LOOPBACK_SERVICES
    return len(labels) > 1 and not any(f".{name}".endswith(f".{ending}") for ending in endings)
