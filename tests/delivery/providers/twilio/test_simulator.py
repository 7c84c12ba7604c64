"""Callbacks, inbound texts, STOP and faults of the simulated Twilio."""

from __future__ import annotations

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from delivery.providers.simulator.server import HANG_UP, Answer
from delivery.providers.twilio.signature import RETRY_OVERRIDES
from delivery.providers.twilio.simulator import TwilioSimulator
from tests.delivery.providers.twilio.api_client import MEMBER, SENDER, ApiClient, Receiver
from tests.support.waiting import wait_until

SERVICE = "MG" + "0" * 32


def statuses(receiver: Receiver, count: int) -> list[str]:
    """Return the statuses in alphabetical order: Twilio promises no order of callbacks."""
    return sorted(one.status for one in receiver.wait_for(count))


def test_no_callback_tells_the_first_status(client: ApiClient, receiver: Receiver) -> None:
    sent = client.send(status_callback=receiver.url())
    assert sent.status == "queued"
    assert statuses(receiver, 2) == ["delivered", "sent"]
    last = next(one.fields for one in receiver.received if one.status == "delivered")
    assert last["MessageSid"] == last["SmsSid"] == sent.sid
    assert (last["To"], last["From"], "ErrorCode" in last) == (MEMBER, SENDER, False)
    assert len(last["RawDlrDoneDate"]) == 10


def test_a_messaging_service_calls_back_queued(client: ApiClient, receiver: Receiver) -> None:
    sent = client.send(from_=None, messaging_service_sid=SERVICE, status_callback=receiver.url())
    assert (sent.status, sent.from_, sent.num_segments) == ("accepted", None, "0")
    assert statuses(receiver, 3) == ["delivered", "queued", "sent"]


@pytest.mark.parametrize(
    ("fault", "count", "expected"),
    [
        ("duplicated", 4, ["sent", "sent", "delivered", "delivered"]),
        ("reordered", 2, ["delivered", "sent"]),
        ("undelivered", 2, ["sent", "undelivered"]),
        ("undelivered_then_bare", 3, ["sent", "undelivered", "undelivered"]),
        ("failed", 1, ["failed"]),
        ("canceled", 1, ["canceled"]),
        ("stays_sent", 1, ["sent"]),
        ("callback_first", 2, ["sent", "delivered"]),
        ("delayed", 2, ["sent", "delivered"]),
    ],
)
def test_callbacks_follow_the_ordered_fault(
    client: ApiClient, receiver: Receiver, fault: str, count: int, expected: list[str]
) -> None:
    client.control("faults", fault=fault, **({"seconds": 0.05} if fault == "delayed" else {}))
    sent = client.send(status_callback=receiver.url())
    assert statuses(receiver, count) == sorted(expected)
    if fault == "reordered":
        assert [one.status for one in receiver.received] == expected
    if fault.startswith("undelivered"):
        first = next(one for one in receiver.received if one.status == "undelivered")
        assert first.fields["ErrorCode"] in {"30003", "30005"}
        assert client.sdk.messages(sent.sid).fetch().error_code == int(first.fields["ErrorCode"])
    if fault == "undelivered_then_bare":
        last = [one for one in receiver.received if one.status == "undelivered"][1]
        assert "ErrorCode" not in last.fields


def test_a_lost_callback_leaves_a_delivered_text(client: ApiClient, receiver: Receiver) -> None:
    client.control("faults", fault="lost")
    sent = client.send(status_callback=receiver.url())
    client.wait_for_status(sent.sid, "delivered")
    assert receiver.received == []


@pytest.mark.parametrize("status", [400, 503])
def test_an_error_of_ours_is_not_called_again(
    client: ApiClient, receiver: Receiver, status: int
) -> None:
    receiver.answers["/webhooks/twilio/m1/"] = lambda: Answer(status=status)
    client.send(status_callback=receiver.url())
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["given_up"] == 2)
    assert statuses(receiver, 2) == ["delivered", "sent"]


def test_retry_overrides_in_the_fragment_are_obeyed(client: ApiClient, receiver: Receiver) -> None:
    answers = iter([Answer(status=503), HANG_UP, Answer(status=404), Answer(), Answer()])
    receiver.answers["/webhooks/twilio/m1/"] = lambda: next(answers)
    client.control("faults", fault="stays_sent")
    client.send(status_callback=receiver.url() + RETRY_OVERRIDES)
    calls = receiver.wait_for(4)
    assert {one.status for one in calls} == {"sent"}
    assert len({one.headers["i-twilio-idempotency-token"] for one in calls}) == 1
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["delivered"] == 1)


def test_a_failed_connection_is_tried_once_more(client: ApiClient) -> None:
    client.send(status_callback="http://127.0.0.1:1/nobody")
    wait_until(lambda: client.ask("ledger/summary")["webhooks"]["given_up"] == 2)
    assert client.ask("ledger/summary")["webhooks"]["attempts"] == 4


def test_an_inbound_text_brings_media_and_no_time(client: ApiClient, receiver: Receiver) -> None:
    client.control("webhooks", url=receiver.url("/webhooks/twilio/"))
    picture = "https://media.example.org/1.jpg"
    told = client.control(
        "inbound", **{"from": MEMBER, "to": SENDER, "text": "Look", "media_urls": [picture]}
    )
    [one] = receiver.wait_for(1)
    fields = one.fields
    assert (fields["MessageSid"], fields["Body"]) == (told["id"], "Look")
    assert (fields["NumMedia"], fields["MediaUrl0"]) == ("1", picture)
    assert "MessageStatus" not in fields
    assert fields["SmsStatus"] == "received"


@pytest.mark.parametrize("word", ["STOP", " stop ", "Revoke", "OPTOUT"])
def test_a_stop_blocks_the_pair_and_start_unblocks_it(
    client: ApiClient, receiver: Receiver, word: str
) -> None:
    client.control("webhooks", url=receiver.url("/webhooks/twilio/"))
    client.control("inbound", **{"from": MEMBER, "to": SENDER, "text": word})
    with pytest.raises(TwilioRestException) as raised:
        client.send()
    assert (raised.value.code, raised.value.status) == (21610, 400)
    client.send(from_="+13125550101")
    assert client.ask("opt-outs")["opt_outs"] == [{"from": SENDER, "to": MEMBER}]
    assert len(client.ask("auto-replies")["auto_replies"]) == 1
    client.control("inbound", **{"from": MEMBER, "to": SENDER, "text": "Yes"})
    client.send()
    assert [one.fields["Body"] for one in receiver.wait_for(2)] == [word, "Yes"]


def test_by_a_service_a_blocked_text_fails_late(client: ApiClient, receiver: Receiver) -> None:
    client.control("numbers", add=[SENDER])
    client.control("webhooks", url=receiver.url("/webhooks/twilio/"))
    client.control("inbound", **{"from": MEMBER, "to": SENDER, "text": "STOP"})
    receiver.wait_for(1)
    sent = client.send(from_=None, messaging_service_sid=SERVICE, status_callback=receiver.url())
    assert sent.status == "accepted"
    assert {one.status for one in receiver.wait_for(3)[1:]} == {"queued", "failed"}
    assert client.sdk.messages(sent.sid).fetch().error_code == 21610


def test_advanced_opt_out_names_the_wish(client: ApiClient, receiver: Receiver) -> None:
    client.control("settings", advanced_opt_out=True, webhook_url=receiver.url("/webhooks/twilio/"))
    client.control("inbound", **{"from": MEMBER, "to": SENDER, "text": "Quit"})
    assert receiver.wait_for(1)[0].fields["OptOutType"] == "STOP"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "12"}, 21211),
        ({"from_": "!"}, 21212),
        ({"from_": None}, 21603),
        ({"body": None}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"media_url": ["https://example.org/1.jpg"] * 11}, 21623),
        ({"media_url": ["ftp://example.org/1.jpg"]}, 21620),
        ({"status_callback": "http://under_score.example.org/"}, 21609),
        ({"validity_period": 36_001}, 21624),
        ({"messaging_service_sid": "MG1"}, 21701),
    ],
)
def test_a_wrong_request_is_refused_by_its_code(
    client: ApiClient, fields: dict[str, object], code: int
) -> None:
    with pytest.raises(TwilioRestException) as raised:
        client.send(**fields)
    assert raised.value.code == code


def test_a_foreign_sender_is_refused(client: ApiClient) -> None:
    client.control("numbers", add=[SENDER])
    with pytest.raises(TwilioRestException) as raised:
        client.send(from_="+13125550199")
    assert raised.value.code == 21606


def test_a_full_queue_refuses_and_a_short_validity_expires(
    client: ApiClient, receiver: Receiver
) -> None:
    client.control("settings", rate=0.05, queue_seconds=45)
    assert client.send().sid
    expiring = client.send(validity_period=1, status_callback=receiver.url())
    [late] = receiver.wait_for(1)
    assert (late.status, late.fields["ErrorCode"]) == ("failed", "30036")
    assert late.fields["MessageSid"] == expiring.sid
    client.send()
    with pytest.raises(TwilioRestException) as raised:
        client.send()
    assert (raised.value.code, raised.value.status) == (21611, 429)


@pytest.mark.parametrize("mode", ["refuse", "close", "503"])
def test_an_outage_accepts_nothing(client: ApiClient, mode: str) -> None:
    client.control("outage", on=True, mode=mode)
    with pytest.raises((requests.ConnectionError, TwilioRestException)):
        client.send()
    client.control("outage", on=False)
    assert client.send().sid
    assert len(client.twilio.ledger) == 1


def test_without_json_the_api_answers_xml(twilio: TwilioSimulator) -> None:
    credentials = twilio.credentials
    answer = requests.get(
        f"{twilio.base}/2010-04-01/Accounts/{credentials.account_sid}/Messages",
        auth=(credentials.account_sid, credentials.auth_token),
        timeout=30,
    )
    assert answer.headers["Content-Type"] == "application/xml"
