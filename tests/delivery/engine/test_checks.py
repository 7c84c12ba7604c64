from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from delivery import conf
from delivery.checks import check_delivery
from tests.delivery.accounts import with_provider


@pytest.mark.parametrize(
    ("setting", "value", "id_"),
    [
        ("TENANT_NUMBER_FIELD", "fax", "delivery.E001"),
        ("RECIPIENT_NUMBER_FIELD", "fax", "delivery.E001"),
        ("RECIPIENT_TENANT_FIELD", "temple", "delivery.E001"),
        ("LEASE_SECONDS", 0, "delivery.E002"),
        ("ACCOUNT_RATE", "fast", "delivery.E002"),
        ("RETRY_DELAYS", "1,2,4", "delivery.E002"),
        ("MODE", "async", "delivery.E003"),
        ("PUBLIC_URL", "grace.example", "delivery.E004"),
        ("PROVIDERS", {}, "delivery.E011"),
        ("DEFAULT_PROVIDER", "fax", "delivery.E012"),
        ("PUBLIC_URL", "", "delivery.W001"),
    ],
)
def test_each_mistake_in_the_settings_is_named(
    settings: Any, setting: str, value: Any, id_: str
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, setting: value}
    assert [message.id for message in check_delivery()] == [id_]


@pytest.mark.parametrize(
    ("setting", "value", "id_"),
    [
        ("API_BASE", "api.telnyx.com", "delivery.E004"),
        ("BACKEND", "delivery.nowhere.Provider", "delivery.E005"),
        ("PUBLIC_KEY", "short", "delivery.E007"),
        ("SENDER_RATE", "fast", "delivery.E002"),
    ],
)
def test_each_mistake_in_the_settings_of_a_provider_is_named(
    settings: Any, setting: str, value: Any, id_: str
) -> None:
    settings.DELIVERY = with_provider(settings, **{setting: value})
    assert [message.id for message in check_delivery()] == [id_]


def test_an_alias_that_cannot_stand_in_a_url_is_named(settings: Any) -> None:
    providers = settings.DELIVERY["PROVIDERS"]
    settings.DELIVERY = {
        **settings.DELIVERY,
        "PROVIDERS": {**providers, "the other/one": providers["telnyx"]},
    }
    assert [message.id for message in check_delivery()] == ["delivery.E013"]


def test_the_project_has_no_mistake() -> None:
    assert check_delivery() == []


def test_a_missing_django_q_is_an_error(settings: Any) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    assert [message.id for message in check_delivery()] == ["delivery.E006"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [("DAILY_PART", "Did you mean 'DAILY_PARTS'?"), ("threads", "Did you mean 'THREADS'?"),
     ("COLOUR_OF_THE_BUS", "Remove it.")],
)  # fmt: skip
def test_an_unknown_key_is_reported_with_the_nearest_known_one(
    settings: Any, key: str, hint: str
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, key: 1}
    [found] = check_delivery()
    assert (found.id, found.hint) == ("delivery.W002", hint)


def test_every_key_that_is_read_is_a_known_key() -> None:
    read = set(re.findall(r'(?:_value|model_label)\(\s*"([A-Z_]+)"', inspect.getsource(conf)))
    assert read == conf.NAMES
