from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from koinonia.webhooks import signing

BODY = b'{"type":"message.received","data":{"text":"See you at 9 \xe2\x9b\xaa"}}'


def test_the_library_of_standard_webhooks_verifies_our_signature() -> None:
    secret = signing.new_secret()
    headers = signing.sign([secret], "msg_grace_1", datetime.now(UTC), BODY)
    assert Webhook(secret).verify(BODY, headers)["type"] == "message.received"


def test_while_a_secret_rotates_the_receiver_may_use_the_old_or_the_new_one() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    headers = signing.sign([new, old], "msg_grace_1", datetime.now(UTC), BODY)
    Webhook(old).verify(BODY, headers)
    Webhook(new).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(BODY, headers)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body"])
def test_a_change_of_id_time_or_body_ends_the_signature(changed: str) -> None:
    secret, now = signing.new_secret(), datetime.now(UTC)
    headers = signing.sign([secret], "msg_grace_1", now, BODY)
    body = BODY
    if changed == "body":
        body = BODY.replace(b"9", b"8")
    elif changed == "webhook-id":
        headers[changed] = "msg_grace_2"
    else:
        headers[changed] = str(int(now.timestamp()) - 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_a_secret_has_as_many_bytes_as_the_specification_asks_for() -> None:
    secret = signing.new_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
    assert signing.new_secret() != secret


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_?", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_a_secret_with_another_spelling_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        signing.key_of(secret)
