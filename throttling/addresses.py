"""The client's address. Only a trusted proxy can set it by a header."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

from throttling import conf

Address = IPv4Address | IPv6Address

UNKNOWN = "unknown"
"""The shared identity of clients without an address."""
_LONGEST = len("0000:0000:0000:0000:0000:ffff:255.255.255.255")


def client_address(request: HttpRequest) -> Address | None:
    """Return the address of the client by walking X-Forwarded-For from the right.

    A hop is trusted only if a trusted proxy reported it. The walk ends at the first hop that is not
    a trusted proxy, or before an entry that is not an address.
    """
    peer = parse(request.META.get("REMOTE_ADDR", ""))
    if peer is None and not conf.unix_socket_trusted():
        return None
    if peer is not None and not _trusted(peer):
        return peer
    return _walk(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""))


def _walk(peer: Address | None, forwarded: str) -> Address | None:
    client = peer
    for entry in _from_the_right(forwarded):
        hop = parse(entry)
        if hop is None:
            break
        client = hop
        if not _trusted(hop):
            break
    return client


def _from_the_right(forwarded: str) -> Iterable[str]:
    return reversed(forwarded.split(",")) if forwarded else ()


def _trusted(address: Address) -> bool:
    return any(address in network for network in conf.trusted_proxies())


def parse(text: str) -> Address | None:
    """Parse an address, maybe with a port (some proxies add one); return None for anything else.

    An IPv4 address mapped into IPv6 becomes the IPv4 address. A zone is dropped.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    plain = text.partition("%")[0]
    return _address(plain) if len(plain) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _address(text: str) -> Address | None:
    """Return the address in ``text``. Proxies and providers come again and again, so it is kept."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def prefix(address: Address | None) -> str:
    """Return the identity to count: an IPv4 address, or the network of an IPv6 address."""
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, conf.ipv6_prefix()), strict=False))


def prefix_of(request: HttpRequest) -> str:
    return prefix(client_address(request))
