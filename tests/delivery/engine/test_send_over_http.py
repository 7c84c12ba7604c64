from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_httpserver import HTTPServer

from delivery.accept import accept_message
from delivery.drafts import Draft
from delivery.models import Message
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import Status
from koinonia.models import Church
from tests.delivery.accounts import with_provider


@pytest.fixture
def telnyx(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    settings.DELIVERY = with_provider(
        settings, API_BASE=httpserver.url_for("/v2"), API_KEY="KEY123"
    )
    return httpserver


@pytest.mark.django_db(transaction=True)
def test_a_message_is_sent_over_http_and_becomes_accepted(
    telnyx: HTTPServer, grace: Church
) -> None:
    telnyx.expect_request("/v2/messages", method="POST").respond_with_json(
        {"data": {"id": "40319bd-1", "record_type": "message"}}
    )
    message = accept_message(grace, Draft(to="+13125550001", text="Hello"), now=timezone.now())
    Drain(Threads(2)).run()
    message.refresh_from_db()
    assert (message.status, message.provider_id) == (Status.ACCEPTED, "40319bd-1")
    request, _ = telnyx.log[0]
    assert request.headers["Authorization"] == "Bearer KEY123"
    assert json.loads(request.data) == {
        "from": "+13125550100",
        "to": "+13125550001",
        "text": "Hello",
        "webhook_url": f"http://testserver/webhooks/telnyx/m{message.pk}/",
    }
    assert Message.objects.get().attempt_rows.get().outcome == "accepted"
