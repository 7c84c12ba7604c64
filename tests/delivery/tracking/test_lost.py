"""Messages with a lost answer: the watchdog accepts only a record that cannot be another message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Response

from delivery.models import Message, StatusCheck
from delivery.retention import prune
from delivery.statuses import Status
from delivery.tracking import watchdog
from delivery.tracking.watchdog import reconcile_now as reconcile
from koinonia.models import Church
from tests.delivery.accounts import with_provider
from tests.delivery.tracking.conftest import MEMBER, NOW, MakeMessage
from tests.delivery.webhooks.signing import outbound

pytestmark = pytest.mark.django_db

CHURCH = "+13125550100"
ORIGIN = "https://texts.example"
LATER = NOW + timedelta(minutes=20)
SENT_AT = NOW - timedelta(seconds=20)

Shape = dict[str, Any]
Show = Callable[..., None]
"""Set the provider's records: ``show([records], [messages])``."""
Lose = Callable[..., Message]


@pytest.fixture
def show(httpserver: HTTPServer, settings: Settings) -> Show:
    settings.DELIVERY = with_provider(settings, API_BASE=httpserver.url_for("/v2"), API_KEY="K")

    def show(records: Any, messages: list[Shape], pages: int = 1) -> None:
        answer = {"data": records, "meta": {"total_pages": pages, "page_number": 1}}
        httpserver.expect_request(
            "/v2/detail_records",
            query_string={
                "filter[record_type]": "messaging",
                "filter[direction]": "outbound",
                "filter[cld]": MEMBER,
                "filter[cli]": CHURCH,
                "filter[created_at][gte]": "2026-11-22T14:02:30+00:00",
                "page[size]": "50",
            },
            headers={"Authorization": "Bearer K"},
        ).respond_with_json(answer)
        for message in messages:
            httpserver.expect_request(f"/v2/messages/{message['id']}").respond_with_json(
                {"data": message}
            )

    return show


@pytest.fixture
def lose(message: MakeMessage) -> Lose:
    """Write a message with four calls without an answer, from 14:04:30 to 14:04:50."""

    def lose(**over: Any) -> Message:
        values = {"attempts": 4, "calls": 4, "ambiguous": True, "dead_since": NOW, "parts": 1}
        text = message(Status.UNKNOWN, provider_id=None, **{**values, **over})
        for number, second in enumerate((0, 2, 7, 19), start=1):
            text.attempt_rows.create(
                number=number, generation=text.generation, duration_ms=1000, outcome="ambiguous",
                started_at=NOW - timedelta(seconds=30 - second),
            )  # fmt: skip
        return text

    return lose


def url(text: Message) -> str:
    return f"{ORIGIN}/webhooks/telnyx/m{text.pk}/"


def record(provider_id: str = "p1", **over: Any) -> Shape:
    return {
        "record_type": "message_detail_record", "uuid": provider_id, "cld": MEMBER, "cli": CHURCH,
        "direction": "outbound", "created_at": SENT_AT.isoformat(), "parts": 1, "errors": [],
        "status": "delivered", "delivery_status_webhook_url": None, **over,
    }  # fmt: skip


def whole(provider_id: str = "p1", status: str = "delivered", **over: Any) -> Shape:
    return outbound(provider_id, status, webhook_url="", **over)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("queued", "accepted"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("delivery_failed", "failed"),
        ("delivery_unconfirmed", "unconfirmed"),
    ],
)
def test_a_found_message_changes_as_by_a_webhook(
    told: str, status: str, show: Show, lose: Lose
) -> None:
    text = lose(callback_origin=ORIGIN)
    mine = {"delivery_status_webhook_url": url(text)}
    show([record(**mine), record("p2")], [{**whole(status=told), "webhook_url": url(text)}])
    assert reconcile(LATER) == 1
    text.refresh_from_db()
    assert (text.status, text.provider_id, text.ambiguous) == (status, "p1", False)
    assert text.dead_since is None


def test_a_message_without_a_url_is_matched_by_all_visible_fields(show: Show, lose: Lose) -> None:
    text = lose()
    show([record()], [whole()])
    assert reconcile(LATER) == 1
    text.refresh_from_db()
    assert (text.status, text.provider_id) == ("delivered", "p1")


def at(seconds: int) -> Shape:
    return record(created_at=(NOW + timedelta(seconds=seconds)).isoformat())


ANOTHER = "https://texts.example/webhooks/telnyx/m999999/"
DOUBTFUL: dict[str, tuple[Any, list[Shape]]] = {
    "nothing": ([], []),
    "two that look alike": ([record("p1"), record("p2")], [whole("p1"), whole("p2")]),
    "one that reports elsewhere": ([record(delivery_status_webhook_url=ANOTHER)], [whole()]),
    "one whose message reports elsewhere": ([record()], [{**whole(), "webhook_url": ANOTHER}]),
    "one of more parts": ([record(parts=2)], [whole()]),
    "one to another number": ([record(cld="+13125550002")], [whole()]),
    "one from another number": ([record(cli="+13125550200")], [whole()]),
    "one that came in": ([record(direction="inbound")], [whole()]),
    "one from before": ([at(-151)], [whole()]),
    "one from after": ([at(111)], [whole()]),
    "one of no time": ([record(created_at="soon")], [whole()]),
    "one of another text": ([record()], [whole(text="Choir practice is at eight.")]),
    "one whose message is gone": ([record()], []),
    "one whose message is another": ([record()], [{**whole("p1"), "to": []}]),
    "one without an id": ([record(uuid=None)], [whole()]),
    "no list": ({"uuid": "p1"}, [whole()]),
    "no records": (["p1", None, 7], [whole()]),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_an_uncertain_match_stays_unknown(name: str, show: Show, lose: Lose) -> None:
    text = lose()
    show(*DOUBTFUL[name])
    assert reconcile(LATER) == 0
    text.refresh_from_db()
    assert (text.status, text.provider_id) == ("unknown", None)


def test_more_than_a_page_of_candidates_is_no_match(show: Show, lose: Lose) -> None:
    lose()
    show([record()], [whole()], pages=2)
    assert reconcile(LATER) == 0


@pytest.mark.parametrize("shown_url", [None, ANOTHER])
def test_a_message_with_a_url_is_matched_by_the_url_alone(
    shown_url: str | None, show: Show, lose: Lose
) -> None:
    lose(callback_origin=ORIGIN)
    show([record(delivery_status_webhook_url=shown_url)], [whole()])
    assert reconcile(LATER) == 0


def test_a_record_without_a_url_counts_if_its_message_has_the_url(show: Show, lose: Lose) -> None:
    text = lose(callback_origin=ORIGIN)
    show([record()], [{**whole(), "webhook_url": url(text)}])
    assert reconcile(LATER) == 1


def test_a_record_of_another_message_is_no_match(
    show: Show, lose: Lose, message: MakeMessage
) -> None:
    lose()
    message("delivered", provider_id="p1")
    show([record()], [whole()])
    assert reconcile(LATER) == 0


def test_of_two_equal_lost_messages_none_is_matched(show: Show, lose: Lose) -> None:
    lose()
    lose()
    show([record()], [whole()])
    assert reconcile(LATER) == 0


def test_an_earlier_decision_of_a_person_stands(show: Show, lose: Lose, grace: Church) -> None:
    """Send it again during the look-up: the record found is not of the present send."""
    text = lose()
    show([record()], [whole()])
    answers = watchdog.ask(watchdog.take_overdue(LATER, 20), LATER)
    assert len(answers) == 1
    Message.objects.filter(pk=text.pk).update(generation=2)
    assert watchdog.apply(answers, LATER) == 0


def test_it_is_looked_up_less_and_less_often_for_two_days(
    show: Show, lose: Lose, httpserver: HTTPServer
) -> None:
    lose()
    show([], [])
    for minutes in range(0, 4 * 24 * 60, 15):
        reconcile(NOW + timedelta(minutes=minutes))
        prune(NOW + timedelta(minutes=minutes))
    assert StatusCheck.objects.get().times == len(httpserver.log) == 12


@pytest.mark.parametrize(
    "over", [{"dead_since": LATER - timedelta(minutes=14)}, {"discarded_at": NOW}]
)
def test_messages_with_a_pending_report_or_a_decision_are_not_looked_up(
    over: dict[str, Any], lose: Lose, show: Show, httpserver: HTTPServer
) -> None:
    lose(**over)
    assert reconcile(LATER) == 0
    assert httpserver.log == []


def test_a_failing_provider_is_asked_again_later(
    lose: Lose, show: Show, httpserver: HTTPServer
) -> None:
    text = lose()
    httpserver.expect_oneshot_request("/v2/detail_records").respond_with_response(
        Response(status=503)
    )
    assert reconcile(LATER) == 0
    show([record()], [whole()])
    assert reconcile(LATER + timedelta(minutes=15)) == 1
    text.refresh_from_db()
    assert text.status == "delivered"
