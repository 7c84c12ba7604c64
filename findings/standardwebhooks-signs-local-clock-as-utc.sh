#!/usr/bin/env bash
# standardwebhooks 1.1.0 (Python): a webhook signed at an aware local time does not verify.
#
# Webhook.sign() takes a datetime and replaces its zone by UTC instead of converting it. For a time with
# another zone it signs a second that lies hours away from the moment, and a sender that fills the header
# webhook-timestamp by int(moment.timestamp()), as the specification asks, sends a signature that the
# library's own verify() refuses. With the same moment in UTC it verifies. Exits non-zero once
# standardwebhooks has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0
"$work/venv/bin/python" - <<'PY'
import base64
import sys
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

print(f"standardwebhooks {version('standardwebhooks')}")
webhook = Webhook("whsec_" + base64.b64encode(b"only for this finding..").decode())
body = '{"type": "message.delivered"}'


def verifies(moment):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": webhook.sign("msg_1", moment, body),
    }
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError as error:
        return f"refused: {error}"
    return "verified"


moment = datetime.now(timezone.utc)
results = [verifies(moment), verifies(moment.astimezone(timezone(timedelta(hours=-6))))]
print(f"signed at a time in UTC: {results[0]}\nsigned at the same moment at UTC-6: {results[1]}")
expected = ["verified", "refused: No matching signature found"]
sys.exit(0 if results == expected else "changed: sign() converts the zone")
PY
