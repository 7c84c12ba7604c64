"""The line of the log for a webhook, from both shells."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from koinonia.config import log_lines
from tests.delivery.webhooks.shells import Shell
from tests.delivery.webhooks.signing import event, outbound

NUMBER = "+13125550178"
WORDS = "The picnic begins at noon"


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    written = [record for record in caplog.records if record.name.startswith("delivery")]
    return [json.loads(log_lines.JsonFormatter().format(record)) for record in written]


def test_a_stored_webhook_writes_one_line(shell: Shell, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    payload = {**outbound("p-1", "sent"), "to": [{"phone_number": NUMBER}], "text": WORDS}
    assert shell.post(event("message.sent", payload, id="e-1")).status_code == 200
    [line] = lines(caplog)
    assert (line["level"], line["action"], line["kind"]) == (
        "INFO", "webhook_taken", "message.sent",
    )  # fmt: skip
    assert (line["provider"], line["provider_id"], line["event"]) == ("telnyx", "p-1", "e-1")
    assert line["duration_ms"] >= 0
    assert NUMBER[2:] not in str(line)
    assert WORDS not in str(line)


def test_a_refused_webhook_writes_one_warning(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    unsigned = event("message.sent", outbound("p-1", "sent"), id="e-1")
    assert shell.post(unsigned, headers={}).status_code == 400
    [line] = lines(caplog)
    assert (line["level"], line["http_status"]) == ("WARNING", 400)
    assert line["action"].startswith("webhook_")
