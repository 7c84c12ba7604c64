"""Tell public internet addresses from those that reach this machine or its network."""

from __future__ import annotations

import ipaddress


def is_public(text: str) -> bool:
    """Return whether ``text`` is the address of a host on the internet, in the usual spelling.

    Loopback, private, shared (CGNAT), link-local (cloud metadata), multicast and reserved addresses
    are not public, and neither is an IPv6 address that carries an IPv4 address.
    """
    return _is_public_v6(text) if ":" in text else _is_public_v4(text)


def _is_public_v4(text: str) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_public_v6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    if address.scope_id is not None or address not in _GLOBAL_V6 or not address.is_global:
        return False
    # 2002::/16 and 2001::/32 carry an IPv4 address.
    return address.sixtofour is None and address.teredo is None


_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""IANA's global unicast range: no v4-mapped, v4-compatible, NAT64 or local address."""
