"""The rules that every provider must keep; each test runs once per provider.

``cases.py`` says what a provider must bring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import permutations
from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from delivery import opt_outs
from delivery.limits import holds
from delivery.models import Message, Outcome, WebhookEvent
from delivery.providers import registry
from delivery.providers.base import DeliveryReport, LookUpById, Provider, ProviderEvent
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import UNFINISHED, Status
from delivery.tracking import apply_waiting_events
from delivery.tracking.watchdog import by_content_of, reconcile_now
from koinonia.models import Church
from tests.delivery.engine.scripted import write
from tests.delivery.providers.cases import OURS, PERSON, Rig, Situation
from tests.delivery.providers.receiver import Webhook
from tests.delivery.providers.texts import outbound
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

OUTCOMES = {
    Situation.REFUSED_NUMBER: (Outcome.PERMANENT, 0),
    Situation.STOPPED: (Outcome.PERMANENT, 0),
    Situation.SENDER_REFUSED: (Outcome.CONFIGURATION, 0),
    Situation.ACCOUNT_REFUSED: (Outcome.CONFIGURATION, 0),
    Situation.THROTTLED: (Outcome.THROTTLED, 0),
    Situation.NOT_TAKEN: (Outcome.RETRYABLE, 0),
    Situation.SERVER_ERROR: (Outcome.AMBIGUOUS, 0),
    Situation.TAKEN_ANSWER_LOST: (Outcome.AMBIGUOUS, 1),
    Situation.TAKEN_UNREADABLE: (Outcome.AMBIGUOUS, 1),
    Situation.FAILS_LATER: (Outcome.ACCEPTED, 1),
}


@pytest.fixture
def provider(rig: Rig) -> Any:
    provider = registry.connect(rig.alias)
    yield provider
    provider.close()


def arrange(rig: Rig, situation: Situation, to: str = PERSON) -> None:
    if situation not in rig.situations:
        pytest.skip(f"{rig.alias} has no such answer")
    rig.meets(situation, to)


def run(rig: Rig) -> Drain:
    """Send until every message is out of the queue."""
    drain = Drain(Threads(2))

    def is_quiet() -> bool:
        drain.run(budget=1)
        return not Message.objects.filter(status__in=UNFINISHED).exists()

    wait_until(is_quiet)
    return drain


def send_once(rig: Rig) -> Drain:
    """Make one call and write its outcome."""
    drain = Drain(Threads(2))
    drain.step()
    finish(drain)
    return drain


def finish(drain: Drain) -> None:
    """Write the results of all calls in flight, and start none."""

    def is_finished() -> bool:
        drain.settle(0.1)
        return not drain.unfinished

    wait_until(is_finished)


def pass_on(webhook: Webhook) -> HttpResponse:
    answer: Any = Client(enforce_csrf_checks=True).post(
        webhook.path,
        webhook.body,
        content_type=webhook.headers.get("content-type", ""),
        headers={
            name: value
            for name, value in webhook.headers.items()
            if name.lower() not in {"content-type", "content-length", "host"}
        },
    )
    return cast(HttpResponse, answer)


def about(message: Message, rig: Rig, count: int) -> list[Webhook]:
    return rig.site.wait_for(count, lambda webhook: f"m{message.pk}/" in webhook.path)


def forget_events() -> None:
    WebhookEvent.objects.all().delete()


def test_a_text_is_accepted_with_an_id(rig: Rig, provider: Provider) -> None:
    outcome = provider.send(outbound())
    assert (outcome.kind, outcome.reached, rig.taken()) == (Outcome.ACCEPTED, True, 1)
    assert 0 < len(outcome.provider_id) <= 64
    assert (outcome.billed.parts is not None) or not provider.capabilities.parts_in_answer


@pytest.mark.parametrize("situation", Situation)
def test_each_answer_is_classed_by_whether_the_text_may_have_been_taken(
    situation: Situation, rig: Rig, provider: Provider
) -> None:
    arrange(rig, situation)
    outcome = provider.send(outbound(to=PERSON))
    assert (outcome.kind, rig.taken()) == OUTCOMES[situation]
    assert outcome.opted_out == (situation is Situation.STOPPED)
    assert outcome.hold == (situation is Situation.ACCOUNT_REFUSED)
    assert PERSON not in f"{outcome.title}{outcome.detail}"
    if outcome.kind != Outcome.ACCEPTED:
        assert outcome.code


def test_without_a_connection_the_text_was_certainly_not_taken(
    rig: Rig, provider: Provider
) -> None:
    rig.start_outage()
    outcome = provider.send(outbound())
    assert (outcome.kind, outcome.reached) == (Outcome.RETRYABLE, False)


def test_a_repeat_by_key_is_one_text_where_the_provider_says_so(
    rig: Rig, provider: Provider
) -> None:
    first, second = provider.send(outbound()), provider.send(outbound())
    if provider.capabilities.key_memory is None:
        assert (first.provider_id != second.provider_id, rig.taken()) == (True, 2)
    else:
        assert (first.provider_id == second.provider_id, rig.taken()) == (True, 1)


@pytest.mark.parametrize("situation", [Situation.TAKEN_ANSWER_LOST, Situation.TAKEN_UNREADABLE])
def test_a_lost_answer_never_sends_a_text_twice(
    situation: Situation, rig: Rig, grace: Church
) -> None:
    arrange(rig, situation)
    rig.without_webhooks()
    message = write(grace, to=PERSON)
    run(rig)
    message.refresh_from_db()
    remembers = registry.get(rig.alias).capabilities.key_memory is not None
    assert message.status == (Status.ACCEPTED if remembers else Status.UNKNOWN)
    assert (message.calls, rig.taken()) == (2 if remembers else 1, 1)


def test_a_webhook_settles_a_lost_answer(rig: Rig, grace: Church) -> None:
    if not registry.get(rig.alias).capabilities.callback_per_message:
        pytest.skip("Its callbacks do not name the message.")
    arrange(rig, Situation.TAKEN_ANSWER_LOST)
    message = write(grace, to=PERSON)
    send_once(rig)
    for webhook in about(message, rig, rig.reports):
        assert pass_on(webhook).status_code < 300
    apply_waiting_events(timezone.now())
    message.refresh_from_db()
    assert (message.status, rig.taken()) == (Status.DELIVERED, 1)
    assert message.provider_id


def test_a_look_up_by_content_settles_a_lost_answer(rig: Rig, grace: Church, settings: Any) -> None:
    if not registry.get(rig.alias).capabilities.look_up_by_content:
        pytest.skip("It cannot list texts.")
    arrange(rig, Situation.TAKEN_ANSWER_LOST)
    rig.without_webhooks()
    message = write(grace, to=PERSON)
    send_once(rig)
    Message.objects.update(status=Status.UNKNOWN, dead_since=timezone.now(), claims=0)
    message.refresh_from_db()
    provider = registry.connect(rig.alias)
    question = by_content_of(message)
    found: list[DeliveryReport] = []

    def is_found() -> bool:
        report = provider.look_up(question, timezone.now())
        found.extend([report] if report else [])
        return bool(found) and found[-1].status == Status.DELIVERED

    wait_until(is_found)
    provider.close()
    settings.DELIVERY = {**settings.DELIVERY, "WATCHDOG_AFTER": 0}
    assert reconcile_now(timezone.now()) == 1
    message.refresh_from_db()
    assert (message.status, message.provider_id) == (Status.DELIVERED, found[-1].provider_id)


def test_a_look_up_by_id_tells_the_status(rig: Rig, provider: Provider) -> None:
    if not provider.capabilities.look_up_by_id:
        pytest.skip("It cannot be asked by id.")
    provider_id = provider.send(outbound()).provider_id
    now = timezone.now()

    def is_delivered() -> bool:
        report = provider.look_up(LookUpById(provider_id), now)
        assert report is not None
        assert (report.provider_id, report.to_number) == (provider_id, "+13125550001")
        return report.status == Status.DELIVERED

    wait_until(is_delivered)
    assert provider.look_up(LookUpById(f"{provider_id[:-4]}0000"), now) is None


def test_a_throttled_text_waits_and_spends_no_attempt(rig: Rig, grace: Church) -> None:
    arrange(rig, Situation.THROTTLED)
    message = write(grace, to=PERSON)
    send_once(rig)
    message.refresh_from_db()
    assert (message.status, message.attempts, message.calls) == (Status.QUEUED, 0, 1)


def test_a_refused_account_is_held_and_loses_no_text(rig: Rig, grace: Church) -> None:
    arrange(rig, Situation.ACCOUNT_REFUSED)
    message = write(grace, to=PERSON)
    send_once(rig)
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Status.QUEUED, 0)
    assert holds.current(registry.account(rig.alias), timezone.now()) is not None


def test_a_stop_that_the_provider_knows_opts_out(rig: Rig, grace: Church) -> None:
    arrange(rig, Situation.STOPPED)
    message = write(grace, to=PERSON)
    run(rig)
    message.refresh_from_db()
    assert message.status == Status.SUPPRESSED
    assert opt_outs.opted_out(grace.pk, [PERSON]) == {PERSON}


def test_a_stop_by_word_opts_out_and_the_text_is_kept_once(rig: Rig, grace: Church) -> None:
    rig.writes_to_us("Stop", person=PERSON, number=OURS)
    [webhook] = rig.site.wait_for(1)
    for _ in range(2):
        assert pass_on(webhook).status_code == 200
    apply_waiting_events(timezone.now())
    message = Message.objects.get()
    assert (message.status, message.text) == (Status.RECEIVED, "Stop")
    assert (message.from_number, message.to_number) == (PERSON, OURS)
    assert opt_outs.opted_out(grace.pk, [PERSON]) == {PERSON}


def test_reports_in_any_order_and_twice_end_in_one_status(rig: Rig, grace: Church) -> None:
    message = write(grace, to=PERSON)
    run(rig)
    accepted = Message.objects.values().get(pk=message.pk)
    webhooks = about(message, rig, rig.reports)
    for order in permutations(webhooks):
        for webhook in [*order, *order]:
            assert pass_on(webhook).status_code < 300
            apply_waiting_events(timezone.now())
        message.refresh_from_db()
        assert message.status == Status.DELIVERED
        forget_events()
        Message.objects.filter(pk=message.pk).update(**accepted)


def test_a_report_before_the_answer_is_written_is_not_lost(rig: Rig, grace: Church) -> None:
    message = write(grace, to=PERSON)
    drain = Drain(Threads(2))
    drain.step()
    for webhook in about(message, rig, rig.reports):
        pass_on(webhook)
    apply_waiting_events(timezone.now())
    finish(drain)
    message.refresh_from_db()
    assert (message.status, message.calls) == (Status.DELIVERED, 1)


def test_a_failure_of_the_carrier_has_a_code(rig: Rig, grace: Church) -> None:
    arrange(rig, Situation.FAILS_LATER)
    message = write(grace, to=PERSON)
    run(rig)
    for webhook in about(message, rig, rig.reports):
        pass_on(webhook)
    apply_waiting_events(timezone.now())
    message.refresh_from_db()
    assert (message.status, bool(message.error_code)) == (Status.FAILED, True)


def test_an_untrusted_webhook_is_refused_and_not_stored(rig: Rig, grace: Church) -> None:
    rig.writes_to_us("Hello", person=PERSON, number=OURS)
    [webhook] = rig.site.wait_for(1)
    answers = [pass_on(rig.forged(webhook)), pass_on(rig.unsigned(webhook))]
    assert {answer.status_code for answer in answers} <= {400, 403}
    assert not WebhookEvent.objects.exists()


def test_a_stored_event_reads_the_same_after_the_database(rig: Rig, grace: Church) -> None:
    """Check that JSON and times survive the round trip, and that a repeat has the same id."""
    rig.writes_to_us("Grüße, José 🙂", person=PERSON, number=OURS)
    [webhook] = rig.site.wait_for(1)
    pass_on(webhook)
    row = WebhookEvent.objects.get()
    event = ProviderEvent(**{name: getattr(row, name) for name in _FIELDS})
    read = registry.get(rig.alias).read_event(event)
    assert read is not None
    assert getattr(read, "text", "") == "Grüße, José 🙂"
    assert event.is_inbound
    assert asdict(event)["event_id"] == row.event_id


_FIELDS: Sequence[str] = (
    "event_id", "event_type", "provider_id", "ref", "occurred_at", "payload",
)  # fmt: skip


def test_every_code_has_a_sentence_and_an_unknown_one_has_none(rig: Rig) -> None:
    provider = registry.get(rig.alias)
    assert [code for code in rig.codes if not provider.explain(code).endswith(".")] == []
    assert provider.explain("no such code") == ""


def test_the_account_has_a_public_name(rig: Rig) -> None:
    account = registry.account(rig.alias)
    assert account.alias == rig.alias
    assert len(account.name) == 12
    assert set(account.name) <= set("0123456789abcdef")
