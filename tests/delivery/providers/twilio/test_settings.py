"""The settings of a Twilio account, and the system checks of them."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from delivery.providers.twilio.provider import TwilioProvider

GOOD: dict[str, Any] = {
    "ACCOUNT_SID": "AC" + "0" * 32,
    "AUTH_TOKEN": "1" * 32,
}


def configured(settings: Settings, **changes: Any) -> TwilioProvider:
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": {"second": {**GOOD, **changes}}}
    return TwilioProvider("second")


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({}, []),
        ({"AUTH_TOKEN": ["1" * 32, "2" * 32]}, []),
        ({"API_KEY": "SK1", "API_SECRET": "x"}, []),
        ({"ACCOUNT_SID": "SK" + "0" * 32}, ["delivery.twilio.E001"]),
        ({"AUTH_TOKEN": ""}, ["delivery.twilio.E002"]),
        ({"AUTH_TOKEN": []}, ["delivery.twilio.E002"]),
        ({"API_KEY": "SK1"}, ["delivery.twilio.E003"]),
        ({"API_SECRET": "x"}, ["delivery.twilio.E003"]),
        ({"API_BASE": "api.twilio.com"}, ["delivery.twilio.E004"]),
        ({"API_BASE": "https://api.twilio.com/2010-04-01"}, ["delivery.twilio.E004"]),
        ({"API_BASE": "https://api.twilio.com/"}, []),
    ],
)
def test_each_misconfiguration_has_an_id(
    settings: Settings, changes: dict[str, Any], problems: list[str]
) -> None:
    found = list(configured(settings, **changes).check())
    assert [one.id for one in found] == problems
    assert all("'second'" in one.msg and one.hint for one in found)


def test_the_account_stays_the_same_while_its_secrets_change(settings: Settings) -> None:
    first = configured(settings).account
    assert (first.alias, len(first.name)) == ("second", 12)
    assert configured(settings, AUTH_TOKEN="3" * 32, API_KEY="SK1", API_SECRET="x").account == first
    assert configured(settings, ACCOUNT_SID="AC" + "1" * 32).account != first


def test_the_api_key_calls_where_there_is_one(settings: Settings) -> None:
    access = configured(settings, AUTH_TOKEN=["new", "old"]).access
    assert (access.base, access.user, access.password) == (
        "https://api.twilio.com", GOOD["ACCOUNT_SID"], "new",
    )  # fmt: skip
    access = configured(settings, API_KEY="SK1", API_SECRET="secret").access
    assert (access.user, access.password) == ("SK1", "secret")
    assert "secret" not in repr(access)


def test_the_engine_never_repeats_an_ambiguous_call() -> None:
    capabilities = TwilioProvider.capabilities
    assert capabilities.key_memory is None
    assert not capabilities.event_times
    assert not capabilities.failed_webhooks_come_again
