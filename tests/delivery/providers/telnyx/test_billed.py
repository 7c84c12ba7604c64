"""The size that Telnyx bills, and the error class of its codes, from webhooks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from delivery.tracking import apply_waiting_events
from tests.delivery.tracking.conftest import NOW, MakeMessage, store
from tests.delivery.webhooks.signing import event, outbound

pytestmark = pytest.mark.django_db


def tell(status: str, **over: Any) -> None:
    kind = "message.sent" if status == "sent" else "message.finalized"
    store(event(kind, outbound("p1", status, **over)))
    apply_waiting_events(NOW + timedelta(seconds=1))


def test_parts_and_encoding_that_telnyx_bills_replace_our_own_count(message: MakeMessage) -> None:
    text = message(provider_id="p1", parts=1, encoding="GSM-7")
    tell("sent", parts=3, encoding="UCS-2")
    text.refresh_from_db()
    assert (text.parts, text.encoding) == (3, "UCS-2")


@pytest.mark.parametrize(
    "stated",
    [
        {"parts": 0}, {"parts": -3}, {"parts": "3"}, {"parts": 10**12}, {"parts": True}, {"parts": 1.5},
        {"parts": None, "encoding": None}, {"encoding": "EBCDIC"}, {"encoding": {}}, {"parts": [2]},
    ],
)  # fmt: skip
def test_odd_parts_and_encodings_are_left_aside(
    message: MakeMessage, stated: dict[str, Any]
) -> None:
    text = message(provider_id="p1", parts=2, encoding="UCS-2")
    tell("delivered", **stated)
    text.refresh_from_db()
    assert (text.status, text.parts, text.encoding) == ("delivered", 2, "UCS-2")


def test_a_failure_by_the_setup_of_the_number_is_one_of_configuration(message: MakeMessage) -> None:
    text = message(provider_id="p1")
    tell("delivery_failed", errors=[{"code": "40010", "title": "Not 10DLC registered"}])
    text.refresh_from_db()
    assert (text.status, text.error_class) == ("failed", "configuration")
