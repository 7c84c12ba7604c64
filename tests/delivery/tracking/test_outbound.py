from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from delivery.changes import Change
from delivery.models import Message, OptOut, WebhookEvent
from delivery.references import reference
from delivery.signals import messages_changed
from delivery.statuses import Status
from delivery.tracking import apply_waiting_events
from tests.delivery.tracking.conftest import MEMBER, NOW, MakeMessage, store
from tests.delivery.webhooks.signing import event, inbound, outbound

pytestmark = pytest.mark.django_db


def tell(status: str, ref: str = "", *, provider_id: str = "p1", at: int = 0, **over: Any) -> None:
    """Store an event with a time ``at`` seconds after NOW."""
    kind = "message.sent" if status == "sent" else "message.finalized"
    occurred_at = (NOW + timedelta(seconds=at)).isoformat()
    store(event(kind, outbound(provider_id, status, **over), occurred_at=occurred_at), ref)


def hear(text: str, *, at: int) -> None:
    """Store an event about an inbound message of the member."""
    occurred_at = (NOW + timedelta(seconds=at)).isoformat()
    store(event("message.received", inbound("in1", text), occurred_at=occurred_at))


def apply() -> None:
    apply_waiting_events(NOW + timedelta(seconds=1))


def test_a_text_goes_from_accepted_to_sent_to_delivered(message: MakeMessage) -> None:
    text = message(provider_id="p1")
    tell("sent")
    apply()
    text.refresh_from_db()
    assert (text.status, text.sent_at is not None, text.delivered_at) == ("sent", True, None)
    tell("delivered", at=4, completed_at="2026-11-22T14:05:03+00:00")
    apply()
    text.refresh_from_db()
    assert text.status == "delivered"
    assert str(text.delivered_at) == "2026-11-22 14:05:03+00:00"


def test_a_failure_names_its_code_and_title(message: MakeMessage) -> None:
    text = message(provider_id="p1")
    error = {"code": "40008", "title": "Undeliverable", "detail": "…"}
    tell("delivery_failed", errors=[error])
    apply()
    text.refresh_from_db()
    assert (text.status, text.error_code, text.error_title, text.error_class) == (
        "failed", "40008", "Undeliverable", "carrier",
    )  # fmt: skip


@pytest.mark.parametrize("errors", [None, [], "x", [None], [{}], [{"code": 40008}], {"code": []}])
def test_a_failure_needs_no_readable_error(message: MakeMessage, errors: Any) -> None:
    text = message(provider_id="p1")
    tell("sending_failed", errors=errors)
    apply()
    text.refresh_from_db()
    assert text.status == "failed"
    assert text.error_code in {"sending_failed", "40008"}


ORDER = [
    # status, reported status, final status
    ("accepted", "queued", "accepted"),
    ("accepted", "sent", "sent"),
    ("delivered", "sent", "delivered"),
    ("failed", "sent", "failed"),
    ("failed", "delivered", "delivered"),
    ("unconfirmed", "delivered", "delivered"),
    ("delivered", "delivery_failed", "delivered"),
    ("delivered", "delivery_unconfirmed", "delivered"),
    ("sent", "delivery_unconfirmed", "unconfirmed"),
    ("sent", "expired", "failed"),
    ("unknown", "queued", "accepted"),
    ("unknown", "sent", "sent"),
    ("unknown", "delivered", "delivered"),
    ("dead", "delivered", "delivered"),
    ("retrying", "sent", "sent"),
    ("queued", "delivered", "delivered"),
]


@pytest.mark.parametrize(("known", "told", "last_word"), ORDER)
def test_a_late_report_never_replaces_a_better_status(
    message: MakeMessage, known: str, told: str, last_word: str
) -> None:
    has_id = known in {"accepted", "sent", "delivered", "failed", "unconfirmed"}
    text = message(known, provider_id="p1" if has_id else None)
    tell(told, reference(text.pk))
    apply()
    text.refresh_from_db()
    assert (text.status, text.provider_id) == (last_word, "p1")
    assert not WebhookEvent.objects.waiting().exists()


SAME_RANK = [
    # two final statuses with their times, in order of arrival; the final status
    (("delivery_failed", 1), ("delivery_unconfirmed", 2), "unconfirmed"),
    (("delivery_failed", 2), ("delivery_unconfirmed", 1), "failed"),
    (("delivery_unconfirmed", 1), ("delivery_failed", 2), "failed"),
    (("delivery_unconfirmed", 2), ("delivery_failed", 1), "unconfirmed"),
    (("delivery_failed", 1), ("delivery_unconfirmed", 1), "failed"),
    (("delivery_unconfirmed", 1), ("delivery_failed", 1), "failed"),
]


@pytest.mark.parametrize(("first", "second", "last_word"), SAME_RANK)
def test_of_two_final_statuses_of_one_rank_the_later_counts(
    message: MakeMessage, first: tuple[str, int], second: tuple[str, int], last_word: str
) -> None:
    text = message(provider_id="p1")
    for status, at in (first, second):
        tell(status, at=at)
        apply()
    text.refresh_from_db()
    assert text.status == last_word


@pytest.mark.parametrize("at_once", [True, False])
def test_a_repeated_final_status_overrides_reports_in_between(
    message: MakeMessage, at_once: bool
) -> None:
    text = message(provider_id="p1")
    for status, at in (("delivery_unconfirmed", 1), ("delivery_unconfirmed", 5), ("expired", 3)):
        tell(status, at=at)
        if not at_once:
            apply()
    apply()
    text.refresh_from_db()
    assert text.status == "unconfirmed"


def test_a_webhook_before_the_answer_ends_the_lease(message: MakeMessage) -> None:
    text = message(
        "sending", lease_token=uuid.uuid4(), lease_until=NOW + timedelta(seconds=30),
        claimed_from="queued", call_started_at=NOW,
    )  # fmt: skip
    heard: list[list[Change]] = []

    def listen(changes: list[Change], **_: Any) -> None:
        heard.append(changes)

    messages_changed.connect(listen)
    try:
        tell("sent", reference(text.pk))
        apply()
    finally:
        messages_changed.disconnect(listen)
    text.refresh_from_db()
    assert (text.status, text.lease_token, text.provider_id) == ("sent", None, "p1")
    assert [[(change.previous, change.message.status) for change in heard[0]]] == [
        [("queued", "sent")]
    ]


def test_an_unknown_message_leaves_the_dead_letters_at_its_report(message: MakeMessage) -> None:
    text = message("unknown", dead_since=NOW, ambiguous=True, error_code="answer_lost")
    tell("delivered", reference(text.pk))
    apply()
    text.refresh_from_db()
    assert (text.status, text.dead_since, text.ambiguous, text.error_code) == (
        "delivered", None, False, "",
    )  # fmt: skip


@pytest.mark.parametrize("field", ["to", "from"])
def test_a_reference_counts_only_if_both_numbers_match(message: MakeMessage, field: str) -> None:
    text = message("unknown")
    other = {"phone_number": "+13125559999"}
    wrong: dict[str, Any] = {field: [{**other, "status": "delivered"}] if field == "to" else other}
    tell("delivered", reference(text.pk), **wrong)
    apply()
    text.refresh_from_db()
    assert text.status == "unknown"
    assert WebhookEvent.objects.waiting().count() == 1


def test_a_report_of_the_first_of_two_sends_counts_only_if_it_arrived(
    message: MakeMessage,
) -> None:
    text = message("sent", provider_id="p2", generation=2)
    tell("delivery_failed", reference(text.pk), provider_id="p1")
    apply()
    text.refresh_from_db()
    assert text.status == "sent"
    tell("delivered", reference(text.pk), provider_id="p1")
    apply()
    text.refresh_from_db()
    assert (text.status, text.provider_id) == ("delivered", "p2")


@pytest.mark.parametrize("told", ["sent", "delivery_failed", "delivery_unconfirmed"])
@pytest.mark.parametrize("state", ["queued", "sending", "retrying"])
def test_a_late_report_of_the_first_send_does_not_end_the_second_that_a_person_ordered(
    told: str, state: str, message: MakeMessage
) -> None:
    lease: dict[str, Any] = {"lease_token": uuid.uuid4(), "lease_until": NOW + timedelta(minutes=1)}
    text = message(state, generation=2, **(lease if state == "sending" else {}))
    tell(told, reference(text.pk), provider_id="p1")
    apply()
    text.refresh_from_db()
    assert (text.status, text.provider_id) == (state, None)
    assert WebhookEvent.objects.waiting().exists()


@pytest.mark.parametrize(
    ("came_to", "provider_id", "last_word"),
    [("accepted", "p1", "failed"), ("accepted", "p2", "accepted"), ("dead", None, "failed")],
)
def test_an_early_report_counts_once_its_send_is_known(
    came_to: str, provider_id: str | None, last_word: str, message: MakeMessage
) -> None:
    text = message("queued", generation=2)
    tell("delivery_failed", reference(text.pk), provider_id="p1")
    apply()
    Message.objects.update(status=came_to, provider_id=provider_id)
    apply_waiting_events(NOW + timedelta(minutes=1))
    text.refresh_from_db()
    assert text.status == last_word
    assert not WebhookEvent.objects.waiting().exists()


def test_an_ordered_second_send_is_dropped_when_the_first_arrived(
    message: MakeMessage,
) -> None:
    text = message("queued", generation=2)
    tell("delivered", reference(text.pk), provider_id="p1")
    apply()
    text.refresh_from_db()
    assert text.status == "delivered"


def test_an_event_of_an_unknown_message_is_kept_and_matched_later(message: MakeMessage) -> None:
    tell("delivered")
    apply()
    assert WebhookEvent.objects.waiting().count() == 1
    text = message(provider_id="p1")
    apply_waiting_events(NOW + timedelta(seconds=3))
    text.refresh_from_db()
    assert text.status == "delivered"


def test_an_unmatched_event_is_checked_less_and_less_often() -> None:
    tell("delivered")
    now, looks = NOW, 0
    while now < NOW + timedelta(days=1):
        looks += apply_waiting_events(now)
        now = max(now + timedelta(milliseconds=100), WebhookEvent.objects.get().due_at)
    assert 24 < looks < 60


def test_many_unmatched_events_do_not_block_the_others(message: MakeMessage) -> None:
    for number in range(10):
        tell("delivered", provider_id=f"nobody-{number}")
    text = message(provider_id="p1")
    tell("sent")
    for _ in range(6):
        apply_waiting_events(NOW + timedelta(seconds=1), limit=2)
    text.refresh_from_db()
    assert text.status == "sent"


def test_one_event_that_cannot_be_applied_does_not_stop_the_others(
    message: MakeMessage, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned, healthy = message(provider_id="p1"), message(provider_id="p2")

    def fail_on_the_first(changes: list[Change], **_: Any) -> None:
        if any(change.message.pk == poisoned.pk for change in changes):
            raise RuntimeError("A receiver that fails.")

    messages_changed.connect(fail_on_the_first)
    try:
        tell("sent", provider_id="p1")
        tell("sent", provider_id="p2")
        apply()
    finally:
        messages_changed.disconnect(fail_on_the_first)
    poisoned.refresh_from_db()
    healthy.refresh_from_db()
    assert (poisoned.status, healthy.status) == ("accepted", "sent")
    assert WebhookEvent.objects.waiting().count() == 1
    assert any(vars(record).get("action") == "webhook_not_applied" for record in caplog.records)


def test_one_batch_makes_one_change_per_text(message: MakeMessage) -> None:
    message(provider_id="p1")
    heard: list[list[tuple[str, str]]] = []

    def listen(changes: list[Change], **_: Any) -> None:
        heard.append([(change.previous, change.message.status) for change in changes])

    messages_changed.connect(listen)
    try:
        tell("delivered", at=3)
        tell("sent", at=1)
        apply()
    finally:
        messages_changed.disconnect(listen)
    assert heard == [[("accepted", "delivered")]]


def test_a_refusal_for_a_stop_records_an_opt_out(message: MakeMessage) -> None:
    text = message(provider_id="p1")
    tell("delivery_failed", errors=[{"code": "40300", "title": "Blocked due to STOP message"}])
    apply()
    assert OptOut.objects.filter(tenant=text.tenant, number=MEMBER, source="provider").exists()


@pytest.mark.parametrize(
    ("started_at", "stopped"), [(7, False), (3, True)], ids=["started after", "started before"]
)
@pytest.mark.parametrize("start_comes", ["first", "together"])
def test_an_opt_out_by_refusal_dates_from_the_refusal(
    started_at: int, stopped: bool, start_comes: str, message: MakeMessage
) -> None:
    text = message(provider_id="p1")
    hear("START", at=started_at)
    if start_comes == "first":
        apply_waiting_events(NOW + timedelta(minutes=1))
    tell("delivery_failed", at=5, errors=[{"code": "40300", "title": "Blocked"}])
    apply_waiting_events(NOW + timedelta(minutes=1))
    assert OptOut.objects.filter(tenant=text.tenant, number=MEMBER).exists() == stopped


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"id": "1", "event_type": "message.exploded", "payload": {"id": "p1"}}},
        event("message.finalized", outbound("p1", "undelivered")),
        event("message.finalized", {"id": "p1", "to": "x"}),
        event("message.finalized", {"id": None}),
        {"data": {"id": "1", "event_type": "message.sent", "payload": ["p1"]}},
        {"record_type": "link_clicked"},
        event("message.received", {"id": "p9", "to": [{"phone_number": 5}]}),
    ],
)
def test_an_unreadable_event_is_logged_once_and_changes_nothing(
    body: dict[str, Any],
    message: MakeMessage,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    text = message(provider_id="p1")
    store(body)
    with django_capture_on_commit_callbacks(execute=True):
        apply()
        apply()
    text.refresh_from_db()
    assert text.status == Status.ACCEPTED
    assert WebhookEvent.objects.get().result == "without_effect"
    assert len([r for r in caplog.records if vars(r).get("action") == "webhook_unknown"]) == 1


def test_no_event_is_applied_twice(message: MakeMessage) -> None:
    message(provider_id="p1")
    tell("sent")
    assert [apply_waiting_events(NOW), apply_waiting_events(NOW)] == [1, 0]
    assert Message.objects.get().status == "sent"
