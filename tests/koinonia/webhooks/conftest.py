from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from koinonia.models import Church, WebhookEndpoint
from tests.support.webhook_receiver import WebhookReceiver
from tests.support.webhooks import Sender, webhook


@pytest.fixture(autouse=True)
def to_loopback(settings: Any) -> None:
    settings.WEBHOOKS_TO_LOOPBACK = True


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as running:
        yield running


@pytest.fixture
def endpoint(grace: Church, receiver: WebhookReceiver) -> WebhookEndpoint:
    return webhook(grace, receiver.url)


@pytest.fixture
def sender() -> Iterator[Sender]:
    running = Sender()
    yield running
    running.stop()
