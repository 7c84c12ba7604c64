"""Support sees facts about the text in a webhook, and no data of the person."""

from __future__ import annotations

from typing import Any

import pytest

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


@pytest.mark.parametrize("payload", [TELNYX, TWILIO], ids=["telnyx", "twilio"])
def test_nothing_of_the_person_is_shown(payload: dict[str, Any]) -> None:
    shown = redacted(payload)
    for secret in ("ruth", "5550177", "555-0177", "5550100", "41.8", "60601"):
        assert secret not in shown.casefold()


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        (TELNYX, ["message.received", "40385f64", "T-Mobile", "delivered", "40310", '"parts": 2']),
        (TWILIO, ["SM000", '"NumSegments": "2"', "Could not reach", "+131•••••177"]),
    ],
    ids=["telnyx", "twilio"],
)
def test_facts_about_the_text_are_shown(payload: dict[str, Any], kept: list[str]) -> None:
    shown = redacted(payload)
    assert [fact for fact in kept if fact not in shown] == []


def test_a_large_or_deep_payload_is_cut() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = {"payload": deep}
    assert "nested too deeply" in redacted(deep)
    wide = {f"key{number}": {f"inner{n}": "x" * 100 for n in range(50)} for number in range(50)}
    assert len(redacted(wide)) < 21_000
    assert redacted(None) == "null"
