"""Support sees facts about the text in a webhook, and no data of the person."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from delivery.webhooks.redacted import redacted

TELNYX = {
    "event_type": "message.received",
    "payload": {
        "id": "40385f64-5717-4562-b3fc-2c963f66afa6",
        "text": "Ruth",
        "from": {"phone_number": "+13125550177", "carrier": "T-Mobile", "caller_name": "RUTH"},
        "to": [{"phone_number": "+13125550100", "status": "delivered"}],
        "media": [{"url": "https://media.example.org/picture-of-ruth.jpg", "size": 1200}],
        "body": {"text": {"body": "Ruth"}, "location": {"latitude": 41.8781, "longitude": 1}},
        "errors": [{"code": "40310", "detail": "Number +13125550177 is invalid"}],
        "parts": 2,
    },
}
TWILIO = {
    "MessageSid": "SM" + "0" * 32,
    "From": "+13125550177",
    "To": "whatsapp:+13125550100",
    "Body": "Ruth",
    "FromCity": "RUTHVILLE",
    "FromZip": "60601",
    "ProfileName": "Ruth",
    "MediaUrl0": "https://media.example.org/picture-of-ruth.jpg",
    "ErrorMessage": "Could not reach 312-555-0177",
    "NumSegments": "2",
}


@pytest.fixture(autouse=True)
def both_providers(settings: Settings) -> None:
    """Configure both providers, without credentials."""
    backends = {
        "telnyx": "delivery.providers.telnyx.provider.TelnyxProvider",
        "twilio": "delivery.providers.twilio.provider.TwilioProvider",
    }
    accounts = {alias: {"BACKEND": backend} for alias, backend in backends.items()}
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": accounts}


@pytest.mark.parametrize(("provider", "payload"), [("telnyx", TELNYX), ("twilio", TWILIO)])
def test_nothing_of_the_person_is_shown(provider: str, payload: dict[str, Any]) -> None:
    shown = redacted(payload, provider)
    for secret in ("ruth", "5550177", "555-0177", "5550100", "41.8", "60601"):
        assert secret not in shown.casefold()


@pytest.mark.parametrize(
    ("provider", "payload", "kept"),
    [
        (
            "telnyx",
            TELNYX,
            ["message.received", "40385f64", "T-Mobile", "delivered", "40310", '"parts": 2'],
        ),
        ("twilio", TWILIO, ["SM000", '"NumSegments": "2"', "Could not reach", "+131•••••177"]),
    ],
    ids=["telnyx", "twilio"],
)
def test_facts_about_the_text_are_shown(
    provider: str, payload: dict[str, Any], kept: list[str]
) -> None:
    shown = redacted(payload, provider)
    assert [fact for fact in kept if fact not in shown] == []


def test_a_large_or_deep_payload_is_cut() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = {"payload": deep}
    assert "nested too deeply" in redacted(deep, "telnyx")
    wide = {f"key{number}": {f"inner{n}": "x" * 100 for n in range(50)} for number in range(50)}
    assert len(redacted(wide, "telnyx")) < 21_000
    assert redacted(None, "telnyx") == "null"


def test_a_provider_that_is_gone_shows_no_value() -> None:
    assert "message.received" not in redacted(TELNYX, "former")
