"""The rate limits of socket handshakes (contract sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from koinonia.models import Church
from realtime.handshake import client_address, identify
from realtime.protocol import CloseCode, RefusedError

Bearer = Callable[[User], dict[str, str]]
OFFICE = "203.0.113.7"


@pytest.fixture(autouse=True)
def three_failures(settings: Settings) -> None:
    declared = settings.THROTTLING["POLICIES"]
    policies = {
        **declared,
        "anon": {"rate": "3/h", "by": "address"},
        "connect": {**declared["connect"], "rate": "2/h"},
    }
    settings.THROTTLING = {
        **settings.THROTTLING, "POLICIES": policies, "TRUSTED_PROXIES": ["10.0.0.0/8"],
    }  # fmt: skip


def handshake(token: str = "", client: str = OFFICE, **headers: str) -> dict[str, Any]:
    given = {"authorization": f"Bearer {token}", **headers}
    encoded = [
        (name.replace("_", "-").encode(), value.encode()) for name, value in given.items() if value
    ]
    return {"headers": encoded, "client": (client, 1), "server": ("testserver", 80)}


def code(scope: dict[str, Any]) -> CloseCode | None:
    try:
        identify(scope)
    except RefusedError as refused:
        return refused.code
    return None


def _token(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


def test_a_bad_handshake_charges_its_address_and_a_good_one_is_never_refused_for_it(
    grace_viewer: User, bearer: Bearer
) -> None:
    token = _token(bearer(grace_viewer))
    codes = [code(handshake("wrong")) for _ in range(4)]
    assert codes == [CloseCode.UNAUTHENTICATED] * 3 + [CloseCode.TOO_MANY]
    assert code(handshake(token)) is None
    assert code(handshake("wrong", client="203.0.113.8")) == CloseCode.UNAUTHENTICATED


def test_bad_requests_and_bad_handshakes_share_a_bucket(grace: Church) -> None:
    stranger = Client(REMOTE_ADDR=OFFICE)
    assert [stranger.get("/api/v1/me/").status_code for _ in range(3)] == [401] * 3
    assert code(handshake("wrong")) == CloseCode.TOO_MANY


def test_the_address_behind_a_trusted_proxy_is_counted(grace: Church) -> None:
    def behind(client: str) -> dict[str, Any]:
        return handshake("wrong", client="10.0.0.1", x_forwarded_for=f"6.6.6.6, {client}")

    assert client_address(behind(OFFICE)) == OFFICE
    assert [code(behind(OFFICE)) for _ in range(4)][-1] == CloseCode.TOO_MANY
    assert code(behind("203.0.113.8")) == CloseCode.UNAUTHENTICATED


def test_an_ipv6_network_is_counted_as_one_address() -> None:
    one, other = (client_address(handshake(client=f"2001:db8::{end}")) for end in ("1", "ffff"))
    assert one == other == "2001:db8::/64"


def test_a_user_can_connect_only_so_often(grace_viewer: User, bearer: Bearer) -> None:
    token = _token(bearer(grace_viewer))
    assert [code(handshake(token)) for _ in range(3)] == [None, None, CloseCode.TOO_MANY]


def test_no_handshake_is_limited_when_switched_off(settings: Settings, grace: Church) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": False}
    assert {code(handshake("wrong")) for _ in range(10)} == {CloseCode.UNAUTHENTICATED}
