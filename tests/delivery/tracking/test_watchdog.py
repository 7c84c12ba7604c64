from __future__ import annotations

import json
from concurrent.futures import wait
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Response

from delivery.models import StatusCheck
from delivery.tracking import watchdog
from delivery.tracking.watchdog import Watchdog
from delivery.tracking.watchdog import reconcile_now as reconcile
from tests.delivery.accounts import with_provider
from tests.delivery.tracking.conftest import NOW, MakeMessage
from tests.delivery.webhooks.signing import outbound

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=20)


@pytest.fixture(autouse=True)
def telnyx(httpserver: HTTPServer, settings: Settings) -> HTTPServer:
    settings.DELIVERY = with_provider(settings, API_BASE=httpserver.url_for("/v2"), API_KEY="K")
    return httpserver


def says(telnyx: HTTPServer, status: str, **over: Any) -> None:
    telnyx.expect_request(
        "/v2/messages/p1", method="GET", headers={"Authorization": "Bearer K"}
    ).respond_with_json({"data": outbound("p1", status, **over)})


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("delivery_failed", "failed"),
        ("queued", "accepted"),
    ],
)
def test_a_message_without_webhooks_is_looked_up(
    told: str, status: str, message: MakeMessage, telnyx: HTTPServer
) -> None:
    text = message(provider_id="p1")
    says(telnyx, told)
    assert reconcile(LATER) == (told != "queued")
    text.refresh_from_db()
    assert text.status == status


def test_no_message_is_looked_up_while_a_webhook_may_still_come(
    message: MakeMessage, telnyx: HTTPServer
) -> None:
    message(provider_id="p1")
    assert reconcile(NOW + timedelta(minutes=5)) == 0
    assert telnyx.log == []


def test_a_message_is_looked_up_less_and_less_often(
    message: MakeMessage, telnyx: HTTPServer
) -> None:
    message(provider_id="p1")
    says(telnyx, "sending")
    for minutes in range(0, 240, 5):
        reconcile(LATER + timedelta(minutes=minutes))
    assert StatusCheck.objects.get().times == len(telnyx.log) == 5


ANSWERS = {
    "not found": Response(status=404),
    "an error": Response(status=500),
    "not authorised": Response(status=401),
    "html": Response("<html></html>", content_type="text/html"),
    "nested too deeply": Response("[" * 100_000),
    "no data": Response("{}", content_type="application/json"),
    "a list": Response("[]", content_type="application/json"),
    "another text": Response(json.dumps({"data": outbound("p2", "delivered")})),
    "an unknown status": Response(json.dumps({"data": outbound("p1", "teleported")})),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_empty_answer_changes_nothing(
    name: str, message: MakeMessage, telnyx: HTTPServer
) -> None:
    text = message(provider_id="p1")
    telnyx.expect_request("/v2/messages/p1").respond_with_response(ANSWERS[name])
    assert reconcile(LATER) == 0
    text.refresh_from_db()
    assert text.status == "accepted"


def test_a_failing_provider_is_asked_once_a_round(message: MakeMessage, telnyx: HTTPServer) -> None:
    for number in range(3):
        message(provider_id=f"p{number}")
    telnyx.expect_request("/v2/messages/p0").respond_with_data("", status=503)
    assert reconcile(LATER) == 0
    assert len(telnyx.log) == 1


@pytest.mark.parametrize("status", ["accepted", "sent"])
def test_a_message_without_confirmation_ends_as_unconfirmed(
    status: str, message: MakeMessage
) -> None:
    text = message(status, provider_id=None)
    assert reconcile(NOW + timedelta(days=4)) == 1
    text.refresh_from_db()
    assert text.status == "unconfirmed"


def test_a_worker_looks_up_in_the_background(message: MakeMessage, telnyx: HTTPServer) -> None:
    text = message(provider_id="p1")
    says(telnyx, "delivered")
    watchdog = Watchdog()
    watchdog.tick(LATER)
    assert watchdog._round is not None
    watchdog._round.result(timeout=60)
    assert watchdog.tick(LATER) == 0, "It looks every five seconds."
    assert watchdog.tick(LATER + timedelta(seconds=5)) == 1
    text.refresh_from_db()
    assert text.status == "delivered"


def test_unstorable_characters_are_removed_from_answers(
    message: MakeMessage, telnyx: HTTPServer
) -> None:
    text = message(provider_id="p1")
    error = {"code": "40008", "title": "Undeliverable\x00 \ud800"}
    says(telnyx, "delivery_failed", errors=[error])
    assert reconcile(LATER) == 1
    text.refresh_from_db()
    assert (text.status, text.error_title) == ("failed", "Undeliverable ?")


@pytest.mark.parametrize("where", ["ask", "apply"])
def test_a_failed_round_is_logged_once_and_the_next_runs(
    where: str,
    message: MakeMessage,
    telnyx: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any) -> Any:
        raise DataError("invalid byte sequence +13125550001")

    text = message(provider_id="p1")
    says(telnyx, "delivered")
    watchdog_thread = Watchdog()
    with monkeypatch.context() as patched:
        patched.setattr(watchdog, where, fail)
        watchdog_thread.tick(LATER)
        _ended(watchdog_thread)
        assert watchdog_thread.tick(LATER + timedelta(seconds=5)) == 0
    told = [record for record in caplog.records if record.name == "delivery"]
    assert [record.__dict__["action"] for record in told] == ["watchdog_failed"]
    assert "+1312" not in caplog.text
    later = LATER + timedelta(hours=1)
    watchdog_thread.tick(later)
    _ended(watchdog_thread)
    assert watchdog_thread.tick(later + timedelta(seconds=5)) == 1
    text.refresh_from_db()
    assert text.status == "delivered"


def test_a_round_without_a_database_is_not_repeated_in_every_drain(
    message: MakeMessage, telnyx: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise OperationalError

    message(provider_id="p1")
    says(telnyx, "delivered")
    watchdog_thread = Watchdog()
    watchdog_thread.tick(LATER)
    _ended(watchdog_thread)
    monkeypatch.setattr(watchdog, "apply", fail)
    with pytest.raises(OperationalError):
        watchdog_thread.tick(LATER + timedelta(seconds=5))
    assert watchdog_thread.tick(LATER + timedelta(seconds=10)) == 0


def _ended(background: Watchdog) -> None:
    assert background._round is not None
    wait([background._round], timeout=60)
