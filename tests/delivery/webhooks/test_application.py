"""What only the ASGI application does: it passes on, cuts off, pushes back."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from delivery.models import WebhookEvent
from delivery.queue import hints
from delivery.webhooks import answer_heads, asgi, event_rows, storage, writer
from delivery.webhooks.asgi import WebhookIntake
from delivery.webhooks.event_rows import EventRow, insert
from delivery.webhooks.intake import MAX_BYTES
from delivery.webhooks.storage import Storage
from delivery.webhooks.store import GroupedStore, Rows
from tests.delivery.webhooks import signing
from tests.delivery.webhooks.shells import Answer, call, call_within

pytestmark = pytest.mark.django_db(transaction=True)

Fields = list[tuple[bytes, bytes]]


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """Answer what the intake passes on."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": scope["type"].encode()})


def signed_event(number: int = 0) -> tuple[bytes, Fields]:
    sent = signing.event("message.sent", signing.outbound(f"p{number}", "sent"), id=f"e{number}")
    body = json.dumps(sent).encode()
    return body, fields(body)


def fields(body: bytes, **more: str) -> Fields:
    named = {"host": "testserver", "content-length": str(len(body)), **signing.signed(body), **more}
    return [(name.encode(), value.encode()) for name, value in named.items()]


def post(application: WebhookIntake, number: int = 0, path: str = "/webhooks/telnyx/") -> Answer:
    body, headers = signed_event(number)
    return call(application, "POST", path, body, headers)


def test_a_webhook_does_not_reach_the_application_behind() -> None:
    assert post(WebhookIntake(behind)).status_code == 200
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhooks/telnyx/"),
        ("POST", "/webhooks/carrier/"),
        ("POST", "/webhooks/"),
        ("POST", "/webhooks/telnyx/a/b/"),
        ("POST", "/webhookstelnyx/"),
        ("POST", "/api/v1/webhooks/telnyx/"),
    ],
)
def test_everything_else_is_passed_on(method: str, path: str) -> None:
    body, headers = signed_event()
    assert call(WebhookIntake(behind), method, path, body, headers).status_code == 299


def test_a_socket_is_passed_on() -> None:
    answer = call(WebhookIntake(behind), "POST", "/webhooks/telnyx/", b"", [], type="websocket")
    assert answer.content == b"websocket"


def test_a_coded_body_and_a_foreign_host_are_passed_on() -> None:
    body, _ = signed_event()
    for more in ({"content-encoding": "gzip"}, {"host": "evil.example"}):
        answer = call(
            WebhookIntake(behind), "POST", "/webhooks/telnyx/", body, fields(body, **more)
        )
        assert answer.status_code == 299
    assert not WebhookEvent.objects.exists()


def test_it_works_below_the_root_path_and_the_prefix_of_a_host() -> None:
    body, headers = signed_event()
    application = WebhookIntake(behind, prefix="/hooks/")
    answer = call(application, "POST", "/site/hooks/telnyx/", body, headers, root_path="/site")
    assert answer.status_code == 200


async def in_pieces(*pieces: bytes) -> Answer:
    headers = fields(b"".join(pieces))
    return await call_within(
        WebhookIntake(behind), "POST", "/webhooks/telnyx/", list(pieces), headers
    )


def test_a_body_in_pieces_is_read_to_its_end() -> None:
    body, _ = signed_event()
    assert asyncio.run(in_pieces(body[:7], body[7:99], body[99:])).status_code == 200
    assert WebhookEvent.objects.count() == 1


def test_a_large_event_is_verified_and_stored() -> None:
    sent = signing.event("message.received", signing.inbound("in1", "x" * 40_000))
    body = json.dumps(sent).encode()
    answer = call(WebhookIntake(behind), "POST", "/webhooks/telnyx/", body, fields(body))
    assert answer.status_code == 200
    assert WebhookEvent.objects.get().payload == sent["data"]


def test_a_slow_sender_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.05)

    async def never(scope: Any, receive: Any, send: Any) -> None:
        async def slowly() -> Any:
            return await asyncio.get_running_loop().create_future()

        await WebhookIntake(behind)(scope, slowly, send)

    body, headers = signed_event()
    answer = call(never, "POST", "/webhooks/telnyx/", body, headers)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


def test_a_body_that_says_it_is_too_large_is_refused_unread() -> None:
    async def unread(scope: Any, receive: Any, send: Any) -> None:
        async def read() -> Any:
            raise AssertionError("The body was read.")

        await WebhookIntake(behind)(scope, read, send)

    headers = [(b"host", b"testserver"), (b"content-length", str(MAX_BYTES + 1).encode())]
    assert call(unread, "POST", "/webhooks/telnyx/", b"", headers).status_code == 413


def test_a_body_of_unknown_length_is_refused_above_the_bound() -> None:
    piece = b"x" * (MAX_BYTES // 2 + 1)
    headers = [(b"host", b"testserver")]
    answer = asyncio.run(
        call_within(
            WebhookIntake(behind), "POST", "/webhooks/telnyx/", [piece, piece, piece], headers
        )
    )
    assert answer.status_code == 413


class BusyDatabase:
    """A writer that stores nothing until it ``goes_on``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.goes_on = threading.Event()
        self.groups: list[int] = []
        self.writer = writer.Writer(GroupedStore(self._write), Storage())
        monkeypatch.setattr(writer.writer, "get", lambda: self.writer)

    def _write(self, rows: Rows) -> None:
        self.goes_on.wait(30)
        self.groups.append(len(rows))
        insert(rows)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[BusyDatabase]:
    database = BusyDatabase(monkeypatch)
    yield database
    database.goes_on.set()


def test_above_the_bound_webhooks_are_asked_to_come_again(
    busy: BusyDatabase, settings: Settings
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "WEBHOOK_BACKLOG": 5}

    async def storm() -> list[Answer]:
        application = WebhookIntake(behind)

        async def one(number: int) -> Answer:
            body, headers = signed_event(number)
            answer = await call_within(application, "POST", "/webhooks/telnyx/", [body], headers)
            if answer.status_code == 503:
                busy.goes_on.set()
            return answer

        return await asyncio.gather(*map(one, range(8)))

    answers = asyncio.run(storm())
    refused = [answer for answer in answers if answer.status_code == 503]
    assert [answer.headers["retry-after"] for answer in refused] == ["2"] * 3
    assert sum(answer.status_code == 200 for answer in answers) == 5
    assert WebhookEvent.objects.count() == 5
    assert post(WebhookIntake(behind), 99).status_code == 200


def test_the_bytes_that_wait_are_bounded_too(
    busy: BusyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.webhooks.store.MOST_WAITING_BYTES", 10)
    assert post(WebhookIntake(behind)).status_code == 503
    assert not WebhookEvent.objects.exists()


def test_webhooks_that_arrive_together_are_written_together(busy: BusyDatabase) -> None:
    async def storm() -> list[Answer]:
        application = WebhookIntake(behind)
        events = [signed_event(number) for number in range(20)]
        calls = [
            asyncio.create_task(
                call_within(application, "POST", "/webhooks/telnyx/", [body], headers)
            )
            for body, headers in events
        ]
        asyncio.get_running_loop().call_later(0.3, busy.goes_on.set)
        return await asyncio.gather(*calls)

    assert {answer.status_code for answer in asyncio.run(storm())} == {200}
    assert sum(busy.groups) == 20
    assert len(busy.groups) <= 3


def test_a_webhook_of_an_outage_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(rows: Rows) -> None:
        raise OperationalError("The database is away.")

    monkeypatch.setattr(event_rows, "insert", fail)
    answer = post(WebhookIntake(behind))
    assert (answer.status_code, answer.content) == (503, b"The event could not be stored.")
    assert answer.headers["retry-after"] == "2"


def test_the_writer_gets_a_new_connection_when_the_server_has_ended_its_own() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connections to end")
    assert post(WebhookIntake(behind), 1).status_code == 200
    with connection.cursor() as cursor:
        # Other threads of the tests keep connections too, so end only those that have stored webhooks.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE 'INSERT INTO \"delivery_webhookevent\"%'"
        )
        assert cursor.rowcount > 0
    assert post(WebhookIntake(behind), 2).status_code == 200
    assert WebhookEvent.objects.count() == 2


def rows(count: int) -> list[EventRow]:
    now = timezone.now()
    return [
        EventRow("telnyx", f"e{number}", "message.sent", "p", "", now, now, {"ß": "'\\ %s"})
        for number in range(count)
    ]


def test_a_group_is_one_insert() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        insert(rows(50))
    inserts = [query for query in queries if "INSERT" in query["sql"]]
    assert len(inserts) == 1
    assert WebhookEvent.objects.filter(payload={"ß": "'\\ %s"}, applied_at=None).count() == 50


def test_a_row_has_the_times_of_its_event() -> None:
    [row] = rows(1)
    insert([row])
    insert([row._replace(event_type="message.finalized")])
    stored = WebhookEvent.objects.get()
    assert (stored.occurred_at, stored.received_at, stored.due_at) == (row.occurred_at,) * 3
    assert (stored.event_type, stored.result) == ("message.sent", "")


def test_one_hint_serves_all_events_of_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: list[None] = []
    monkeypatch.setattr(hints, "push", lambda: pushed.append(None))
    ours = Storage()
    for _ in range(5):
        ours.hint()
    assert len(pushed) == 1
    monkeypatch.setattr(storage, "HINT_SECONDS", 0)
    ours.hint()
    assert len(pushed) == 2


def test_the_heads_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_heads, "_MOST_KEPT", 4)
    application = WebhookIntake(behind)
    for number in range(12):
        body, headers = signed_event(number)
        agent = (b"user-agent", str(number).encode())
        call(application, "POST", "/webhooks/telnyx/", body, [*headers, agent])
    assert len(application._heads._kept) <= 4
