"""Valid and invalid texts, Telnyx's answers, and the time in the queue."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.content.encoding import measure
from delivery.providers.simulator.encoding import size_of
from tests.delivery.providers.telnyx.simulator.api_client import CHURCH, MEMBER, ApiClient, code_of
from tests.delivery.providers.telnyx.simulator.receiver import Receiver

FAR = "https://example.com/" + "x" * 2000


def ahead(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"to": None}, 400, "10004"),
        ({"to": ""}, 400, "10004"),
        ({"to": "13125550002"}, 400, "40310"),
        ({"to": 13125550002}, 400, "40310"),
        ({"to": [MEMBER, CHURCH]}, 400, "40310"),
        ({"from": None}, 400, "40305"),
        ({"from": "not a number!"}, 400, "40305"),
        ({"text": None}, 400, "40316"),
        ({"text": ""}, 400, "40316"),
        ({"text": 5}, 422, "10025"),
        ({"text": "x" * 1531}, 400, "40302"),
        ({"text": "é" * 1530 + "ł"}, 400, "40302"),
        ({"text": "x" * 1000, "auto_detect": True}, 400, "40328"),
        ({"text": "Łódź", "encoding": "gsm7"}, 400, "10033"),
        ({"encoding": "utf8"}, 422, "10032"),
        ({"type": "sms"}, 422, "10032"),
        ({"type": "SMS", "media_urls": ["https://example.com/a.png"]}, 400, "40304"),
        ({"media_urls": ["https://example.com/a.png"] * 11}, 400, "40317"),
        ({"media_urls": "https://example.com/a.png"}, 422, "10025"),
        ({"webhook_url": FAR}, 400, "10003"),
        ({"webhook_url": "ftp://example.com"}, 400, "10003"),
        ({"send_at": "tomorrow"}, 422, "10033"),
        ({"send_at": ahead(minutes=4)}, 422, "10026"),
        ({"send_at": ahead(days=6)}, 422, "10026"),
    ],
)
def test_a_bad_text_is_refused(
    client: ApiClient, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(**fields)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert len(client.telnyx.ledger) == 0


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", "10023"), (b"[]", "10015"), (b"\xff\xfe", "10023"), (b"", "10023")]
)
def test_a_body_that_is_no_object_is_refused(client: ApiClient, body: bytes, code: str) -> None:
    answer = client.post_raw(body)
    assert (answer.status_code, code_of(answer)) == (400, code)


def test_the_resource_has_the_shape_of_a_real_answer(client: ApiClient) -> None:
    data = client.post(webhook_url="http://127.0.0.1:9/x").json()["data"]
    assert {
        "record_type", "direction", "id", "type", "organization_id", "messaging_profile_id", "from",
        "to", "cc", "text", "media", "webhook_url", "webhook_failover_url", "encoding", "parts",
        "tags", "cost", "cost_breakdown", "tcr_campaign_id", "tcr_campaign_billable",
        "tcr_campaign_registered", "received_at", "sent_at", "completed_at", "valid_until", "errors",
    } <= data.keys()  # fmt: skip
    assert "status" not in data
    assert re.fullmatch(
        r"4031[0-9a-f]{4}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", data["id"]
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", data["received_at"])
    assert data["from"]["phone_number"] == CHURCH
    assert data["to"][0].keys() == {"phone_number", "status", "carrier", "line_type"}
    assert data["webhook_failover_url"] == ""
    assert (data["sent_at"], data["completed_at"]) == (None, None)


@given(st.text(st.sampled_from("aZ \n@£€^{}~|éèçÇãłΔ'“😀中"), max_size=700))
def test_two_independent_counts_of_parts_agree(text: str) -> None:
    ours = measure(text)
    assert size_of(text) == (ours.encoding.value, ours.parts)


def test_what_is_sent_at_a_rate_waits_its_turn(client: ApiClient) -> None:
    client.control("settings", rate=0.5)
    waits = [client.post().json()["data"]["wait_seconds"] for _ in range(3)]
    assert waits == pytest.approx([0, 2, 4], abs=0.5)
    assert client.post(sender="+13125550200").json()["data"]["wait_seconds"] == 0


def test_parts_count_in_the_queue(client: ApiClient) -> None:
    client.control("settings", rate=0.01)
    client.post(text="x" * 1000)
    assert client.post().json()["data"]["wait_seconds"] == pytest.approx(700, abs=50)


def test_a_text_still_queued_when_its_validity_ends_fails(
    client: ApiClient, receiver: Receiver
) -> None:
    client.control("settings", rate=0.01, validity_seconds=0.05)
    client.post()
    late = client.post(webhook_url=receiver.url()).json()["data"]
    [finalized] = receiver.wait_for(1)
    assert (finalized.payload["id"], finalized.status) == (late["id"], "sending_failed")
    assert finalized.payload["errors"][0]["code"] == "40014"


def test_a_full_queue_is_40318(client: ApiClient) -> None:
    client.control("settings", rate=0.01, queue_seconds=150)
    statuses = [client.post().status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert client.ask("ledger/summary")["refused"] == {"40318": 1}


def test_what_is_scheduled_is_sent_at_its_time(client: ApiClient, receiver: Receiver) -> None:
    client.control("settings", schedule_ahead_seconds=0)
    message = client.post(send_at=ahead(seconds=0.1), webhook_url=receiver.url()).json()["data"]
    assert message["to"][0]["status"] == "scheduled"
    receiver.wait_for(2)
    client.wait_for_status(message["id"], "delivered")


def test_detail_records_speak_the_legacy_words(client: ApiClient) -> None:
    message = client.post(to="+17015564008", webhook_url="http://127.0.0.1:9/t").json()["data"]
    client.wait_for_status(message["id"], "delivery_failed")
    asked = {
        "filter[record_type]": "messaging",
        "filter[cld]": "+17015564008",
        "filter[created_at][gte]": message["received_at"],
    }
    [record] = client.get("detail_records", **asked).json()["data"]
    assert record["uuid"] == message["id"]
    assert (record["status"], record["errors"]) == ("failed", ["40008"])
    assert record["delivery_status_webhook_url"] == "http://127.0.0.1:9/t"
    nobody = client.get("detail_records", **{**asked, "filter[cld]": MEMBER}).json()
    assert nobody["meta"]["total_results"] == 0


def test_what_does_not_exist_is_10005(client: ApiClient) -> None:
    for path in ("messages/40310000-0000-4000-8000-000000000000", "messages", "nothing"):
        answer = client.get(path)
        assert (answer.status_code, code_of(answer)) == (404, "10005")
