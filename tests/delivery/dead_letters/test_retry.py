from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from delivery.changes import Change
from delivery.dead_letters import retry
from delivery.models import DeadLetterAction, Message, OptOut
from delivery.signals import messages_changed
from koinonia.models import Church
from tests.delivery.dead_letters.conftest import MEMBER, NOW, MakeLetter

pytestmark = pytest.mark.django_db


def test_a_dead_text_is_queued_with_fresh_attempts(letter: MakeLetter, support: User) -> None:
    dead = letter(reviewed_by=support, reviewed_at=NOW)
    result = retry(Message.objects.all(), by=support, now=NOW)
    dead.refresh_from_db()
    assert (result.retried, result.refused) == (1, [])
    assert (dead.status, dead.attempts, dead.claims, dead.calls) == ("queued", 0, 0, 4)
    assert (dead.next_attempt_at, dead.dead_since, dead.error_code) == (NOW, None, "")
    assert (dead.reviewed_by, dead.reviewed_at) == (None, None)


GENERATIONS = [
    # status, class, may double, generation after
    ("dead", "retryable", False, 1),
    ("dead", "crash", False, 1),
    ("dead", "permanent", False, 2),
    ("dead", "configuration", False, 2),
    ("dead", "retryable", True, 1),
    ("unknown", "ambiguous", True, 2),
]


@pytest.mark.parametrize(("status", "error_class", "may_double", "generation"), GENERATIONS)
def test_the_key_changes_only_where_a_double_is_impossible_or_allowed(
    status: str, error_class: str, may_double: bool, generation: int, letter: MakeLetter
) -> None:
    text = letter(status, error_class=error_class)
    assert retry(Message.objects.all(), by=None, now=NOW, may_double=may_double).retried == 1
    text.refresh_from_db()
    assert (text.generation, text.ambiguous) == (generation, False)
    assert DeadLetterAction.objects.get().generation == generation


MOVED = [
    # status, class, hours since it died, generation after, goes from the present number
    ("dead", "configuration", 1, 2, True),
    ("unknown", "ambiguous", 1, 2, True),
    ("dead", "retryable", 1, 1, False),
    ("dead", "retryable", 25, 2, True),
]


@pytest.mark.parametrize(("status", "error_class", "hours", "generation", "present"), MOVED)
def test_a_new_send_uses_the_present_number_of_the_church(
    status: str, error_class: str, hours: int, generation: int, present: bool,
    letter: MakeLetter, grace: Church,
) -> None:  # fmt: skip
    former = grace.phone_number
    text = letter(status, error_class=error_class, dead_since=NOW - timedelta(hours=hours))
    Church.objects.filter(pk=grace.pk).update(phone_number="+13125550188")
    assert retry(Message.objects.all(), by=None, now=NOW, may_double=True).retried == 1
    text.refresh_from_db()
    assert text.generation == generation
    assert text.from_number == ("+13125550188" if present else former)


def test_a_retry_keeps_the_old_number_while_the_church_has_no_number(
    letter: MakeLetter, grace: Church
) -> None:
    text = letter(error_class="configuration")
    Church.objects.filter(pk=grace.pk).update(phone_number=None)
    retry(Message.objects.all(), by=None, now=NOW)
    former = text.from_number
    text.refresh_from_db()
    assert text.from_number == former


def test_retrying_an_unknown_message_needs_permission_for_a_double(letter: MakeLetter) -> None:
    text = letter("unknown")
    result = retry(Message.objects.all(), by=None, now=NOW)
    assert (result.retried, result.refused) == (0, [(text.pk, "may_double_required")])


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {
            "status": "sending",
            "lease_token": uuid.uuid4(),
            "lease_until": NOW,
            "claimed_from": "queued",
        },
        "sending",
    ),
    ({"status": "queued"}, "not_dead"),
    ({"status": "delivered"}, "not_dead"),
    ({"status": "cancelled"}, "not_dead"),
    ({"discarded_at": NOW, "discarded_reason": "Too late."}, "discarded"),
]


@pytest.mark.parametrize(("values", "code"), REFUSED)
def test_a_message_outside_the_queue_is_refused_and_unchanged(
    values: dict[str, Any], code: str, letter: MakeLetter
) -> None:
    text = letter(**values)
    before = Message.objects.values().get()
    assert retry(Message.objects.all(), by=None, now=NOW, may_double=True).refused == [
        (text.pk, code)
    ]
    assert Message.objects.values().get() == before
    assert not DeadLetterAction.objects.exists()


def test_an_opted_out_recipient_is_not_retried(letter: MakeLetter, grace: Church) -> None:
    text = letter("unknown")
    OptOut.objects.create(tenant=grace, number=MEMBER, source="keyword", created_at=NOW)
    result = retry(Message.objects.all(), by=None, now=NOW, may_double=True)
    assert result.refused == [(text.pk, "opted_out")]


def test_an_expired_message_gets_a_new_expiry(letter: MakeLetter) -> None:
    text = letter(expires_at=NOW - timedelta(minutes=1))
    retry(Message.objects.all(), by=None, now=NOW)
    text.refresh_from_db()
    assert text.expires_at == NOW + timedelta(hours=24)


def test_many_are_retried_in_a_few_statements(
    letter: MakeLetter, support: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        letter(to_number=f"+1312555{number:04}")
    with django_assert_max_num_queries(14):
        assert retry(Message.objects.all(), by=support, now=NOW).retried == 30
    assert Message.objects.filter(status="queued").count() == 30


def test_each_retry_is_signalled_and_audited(letter: MakeLetter, support: User) -> None:
    letter()
    heard: list[tuple[str, str]] = []

    def listen(changes: list[Change], **_: Any) -> None:
        heard.extend((change.previous, change.message.status) for change in changes)

    messages_changed.connect(listen)
    try:
        retry(Message.objects.all(), by=support, now=NOW)
    finally:
        messages_changed.disconnect(listen)
    assert heard == [("dead", "queued")]
    action = DeadLetterAction.objects.get()
    assert (action.kind, action.by, action.status, action.error_code) == (
        "retry", support, "dead", "http_503",
    )  # fmt: skip
    assert LogEntry.objects.get().change_message == "Put back into the queue."


def test_the_second_of_two_retries_finds_nothing_to_do(letter: MakeLetter) -> None:
    text = letter()
    assert retry(Message.objects.all(), by=None, now=NOW).retried == 1
    assert retry(Message.objects.all(), by=None, now=NOW).refused == [(text.pk, "not_dead")]
