from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from throttling.addresses import client_address, parse, prefix, prefix_of

TRUSTED = ["10.0.0.0/8", "2001:db8:ffff::/48"]
PEER = "203.0.113.9"


def _request(remote: str, forwarded: str | None = None) -> Any:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        # Without a proxy the header is not trusted.
        (PEER, None, PEER),
        (PEER, "198.51.100.1", PEER),
        (PEER, "10.0.0.1", PEER),
        (PEER, "10.0.0.1, 10.0.0.2", PEER),
        # A single proxy appends the address of its peer.
        ("10.0.0.1", PEER, PEER),
        ("10.0.0.1", f"198.51.100.1, {PEER}", PEER),
        ("10.0.0.1", f"10.9.9.9, {PEER}", PEER),
        ("10.0.0.1", f"garbage, {PEER}", PEER),
        ("10.0.0.1", f"{PEER}:51234", PEER),
        ("10.0.0.1", f" {PEER} ", PEER),
        # Two proxies.
        ("10.0.0.1", f"198.51.100.1, {PEER}, 10.0.0.2", PEER),
        ("2001:db8:ffff::1", f"{PEER}, 10.0.0.2", PEER),
        # Only proxies: the first of them is the client.
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        # An entry that is not an address ends the walk at the hop that reported it.
        ("10.0.0.1", f"{PEER}, unknown", "10.0.0.1"),
        ("10.0.0.1", f"{PEER}, , 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "999.1.1.1", "10.0.0.1"),
        # IPv6, and IPv4 mapped into IPv6.
        ("::ffff:10.0.0.1", f"::ffff:{PEER}", PEER),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
    ],
)
def test_a_client_cannot_choose_its_address(
    settings: Settings, remote: str, forwarded: str | None, client: str
) -> None:
    settings.THROTTLING = {"TRUSTED_PROXIES": TRUSTED}
    assert str(client_address(_request(remote, forwarded))) == client


def test_without_trusted_proxies_no_header_is_trusted(settings: Settings) -> None:
    settings.THROTTLING = {}
    assert str(client_address(_request("10.0.0.1", PEER))) == "10.0.0.1"


def test_a_peer_without_an_address_is_trusted_only_if_unix_sockets_are(
    settings: Settings,
) -> None:
    settings.THROTTLING = {}
    assert client_address(_request("", PEER)) is None
    assert prefix_of(_request("", PEER)) == "unknown"
    settings.THROTTLING = {"TRUSTED_PROXIES": ["unix"]}
    assert str(client_address(_request("", PEER))) == PEER


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        (PEER, PEER),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", PEER),
    ],
)
def test_an_ipv6_client_is_counted_by_its_network(address: str, counted: str) -> None:
    assert prefix(parse(address)) == counted


@pytest.mark.parametrize("text", ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "a" * 300, "::g"])
def test_garbage_is_not_an_address(text: str) -> None:
    assert parse(text) is None
