from __future__ import annotations

from typing import Any

import pytest

from delivery.checks import check_delivery


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
        ("API_BASE", "api.telnyx.com", "delivery.E004"),
        ("PUBLIC_URL", "grace.example", "delivery.E004"),
        ("PROVIDER", "delivery.nowhere.Provider", "delivery.E005"),
        ("PUBLIC_URL", "", "delivery.W001"),
    ],
)
def test_each_mistake_in_the_settings_is_named(
    settings: Any, setting: str, value: Any, id_: str
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, setting: value}
    assert [message.id for message in check_delivery()] == [id_]


def test_the_project_has_no_mistake() -> None:
    assert check_delivery() == []


def test_a_missing_django_q_is_an_error(settings: Any) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    assert [message.id for message in check_delivery()] == ["delivery.E006"]
