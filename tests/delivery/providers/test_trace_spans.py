"""One trace from the POST of a text to its last report, once per provider."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken

from delivery.models import Message
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import Status
from delivery.tracking import apply_waiting_events
from koinonia.config.log_lines import config
from koinonia.config.spans import SpanHandler
from koinonia.http.request_log import with_request_log
from koinonia.http.request_threads import RequestThreadHandler
from koinonia.models import Church
from tests.delivery.providers.cases import PERSON, Rig
from tests.delivery.providers.test_conformance import pass_on
from tests.delivery.webhooks.shells import call
from tests.support.waiting import wait_until

pytest.importorskip("opentelemetry.sdk", reason="The extra otel is not installed.")

pytestmark = pytest.mark.django_db(transaction=True)

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
WORDS = "The picnic begins at noon"


@pytest.fixture
def spans() -> Iterator[Any]:
    """Return the exporter that has the spans of this process."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()

    def connect(ids: Any) -> Any:
        provider = TracerProvider(id_generator=ids, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return provider

    handler, root = SpanHandler(connect), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield exporter
    root.setLevel(before)
    root.removeHandler(handler)


def post(church: Church, user: User, *headers: tuple[bytes, bytes]) -> Message:
    token = AuthToken.objects.create(user=user)[1]
    body = json.dumps({"to": PERSON, "text": WORDS}).encode()
    answer = call(
        with_request_log(RequestThreadHandler()),
        "POST",
        f"/api/v1/churches/{church.slug}/messages/",
        body,
        [
            (b"host", b"testserver"), (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"authorization", f"Bearer {token}".encode()), *headers,
        ],
    )  # fmt: skip
    assert answer.status_code == 202, answer.content
    return Message.objects.get()


def deliver(message: Message, rig: Rig) -> None:
    drain = Drain(Threads(2))

    def is_accepted() -> bool:
        drain.run(budget=1)
        message.refresh_from_db()
        return message.status == Status.ACCEPTED

    wait_until(is_accepted)
    for webhook in rig.site.wait_for(rig.reports, lambda found: f"m{message.pk}/" in found.path):
        assert pass_on(webhook).status_code == 200

    def is_delivered() -> bool:
        apply_waiting_events(message.created_at.now(message.created_at.tzinfo))
        message.refresh_from_db()
        return message.status == Status.DELIVERED

    wait_until(is_delivered)


def test_one_trace_goes_from_the_post_to_the_last_report(
    rig: Rig, spans: Any, grace: Church, grace_owner: User
) -> None:
    message = post(grace, grace_owner, (b"traceparent", f"00-{TRACE}-{PARENT}-01".encode()))
    deliver(message, rig)
    found = [one for one in spans.get_finished_spans() if one.context.trace_id == int(TRACE, 16)]
    by_name = {one.name: one for one in found}
    accept = by_name["POST /api/v1/churches/<slug:church>/messages/"]
    wait, sent = by_name["wait in the queue"], by_name["send"]
    webhooks = [one for one in found if one.name == "webhook"]
    applied = [one for one in found if one.name == "apply"]
    assert accept.parent.span_id == int(PARENT, 16)
    assert wait.parent.span_id == accept.context.span_id
    assert sent.parent.span_id == wait.context.span_id == message.pk
    assert len(webhooks) == len(applied) == rig.reports
    assert {one.parent.span_id for one in webhooks} == {message.pk}
    assert {one.parent.span_id for one in applied} == {one.context.span_id for one in webhooks}
    assert wait.end_time == sent.start_time <= sent.end_time
    assert all(one.start_time <= one.end_time for one in found)
    told = "".join(one.to_json() for one in found)
    assert PERSON[2:] not in told
    assert WORDS not in told


def test_a_request_without_a_caller_is_the_root(
    rig: Rig, spans: Any, grace: Church, grace_owner: User
) -> None:
    message = post(grace, grace_owner)
    [accept] = spans.get_finished_spans()
    assert message.trace is not None
    assert (accept.parent, accept.context.trace_id) == (None, message.trace.int)


def test_spans_are_made_only_where_they_are_wanted() -> None:
    assert "spans" not in config("INFO", "json")["handlers"]
    assert "spans" in config("INFO", "json", traces=True)["root"]["handlers"]
