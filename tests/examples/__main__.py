"""Record the answers of a running system as the examples of the schema: ``make examples``."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from koinonia.api import errors
from tests.examples.walk import ENVIRONMENT, Walk
from tests.support.running_system import ROOT, RunningSystem

FILE = ROOT / "koinonia" / "api" / "examples" / "answers.json"
OWN_ERRORS = ("400", "409")
"""These differ between operations, and so does a 403 of an API key and a 503 of the mail server."""
MOST_ROWS = 2
_SECRETS = {
    "token": "token-of-the-answer",
    "ticket": "ticket-of-the-answer",
    "secret": "whsec_c2VjcmV0LW9mLXRoZS1hbnN3ZXI=",
}
UNPROVOKED = {
    status: {"type": "about:blank", "title": title, "status": int(status), "detail": detail}
    for status, title, detail in (
        ("409", "Conflict", errors.AGAIN),
        ("428", "Precondition Required", "Send If-Match with the etag of what you read."),
        ("503", "Service Unavailable", errors.AWAY),
    )
}
"""Errors of two requests at once, of a setting that is off, and of an outage: test_guards.py gets them."""
_OF_A_KEY = "409 key"


def main() -> int:
    found: dict[str, Any] = {"ids": {}, "problems": {}, "answers": {}}
    with (
        tempfile.TemporaryDirectory() as directory,
        RunningSystem(Path(directory) / "data", **ENVIRONMENT) as system,
    ):
        walk = Walk(system)
        for one in walk.exchanges():
            if one.status < "400":
                own = found["answers"].setdefault(one.operation, {})
                if one.media_type:
                    own[one.status] = shortened(one.body)
            elif one.status == "409" and "Idempotency-Key" in one.body["detail"]:
                found["problems"].setdefault(_OF_A_KEY, one.body)
            elif (
                one.status in (*OWN_ERRORS, "503")
                or one.operation == "log_in"
                or "code" in one.body
            ):
                found["answers"].setdefault(one.operation, {}).setdefault(one.status, one.body)
            else:
                found["problems"].setdefault(one.status, one.body)
        found["problems"] |= UNPROVOKED
        found["ids"] = dict(sorted(walk.ids.items()))
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=False)
    FILE.write_text(
        text.replace(system.url, "https://texts.example.org").replace(
            system.url.replace("http", "ws", 1), "wss://texts.example.org"
        )
        + "\n"
    )
    sys.stdout.write(f"{len(found['answers'])} operations, {len(text) // 1000} KB: {FILE}\n")
    return 0


def shortened(body: Any) -> Any:
    """Return the answer with at most two rows of each list."""
    if isinstance(body, dict):
        return {
            name: _SECRETS.get(name) or shortened(value) if value else value
            for name, value in body.items()
        }
    if isinstance(body, list):
        return [shortened(one) for one in body[:MOST_ROWS]]
    if isinstance(body, str) and body.count("\n") > MOST_ROWS + 1:
        return "\n".join(body.splitlines()[: MOST_ROWS + 1]) + "\n"
    return body


if __name__ == "__main__":
    sys.exit(main())
