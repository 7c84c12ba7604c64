from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from delivery.models import WebhookEvent
from delivery.webhooks.intake import MAX_BYTES
from tests.delivery.accounts import with_provider
from tests.delivery.webhooks.shells import Shell
from tests.delivery.webhooks.signing import event, outbound, public, signed

SENT = event("message.sent", outbound("403195bd", "sent"))
BODY = json.dumps(SENT).encode()

Headers = dict[str, str]


def test_a_signed_event_is_stored_and_answered_with_exactly_200(shell: Shell) -> None:
    assert shell.post(SENT, ref="m7").status_code == 200
    stored = WebhookEvent.objects.get()
    assert (stored.event_id, stored.event_type, stored.provider_id, stored.ref) == (
        SENT["data"]["id"], "message.sent", "403195bd", "m7",
    )  # fmt: skip
    assert stored.payload == SENT["data"]
    assert stored.applied_at is None


def test_a_repeated_event_is_answered_and_stored_once(shell: Shell) -> None:
    again = {**SENT, "meta": {"attempt": 2}}
    assert [shell.post(body).status_code for body in (SENT, SENT, again)] == [200, 200, 200]
    assert WebhookEvent.objects.count() == 1


def test_the_signature_is_over_the_raw_bytes(shell: Shell) -> None:
    pretty = json.dumps(SENT, indent=4).encode()
    assert shell.post(pretty).status_code == 200


FORGERIES: dict[str, Callable[[], Headers]] = {
    "no headers": lambda: {},
    "no signature": lambda: {"telnyx-timestamp": str(int(time.time()))},
    "no timestamp": lambda: {**signed(BODY), "telnyx-timestamp": ""},
    "another key": lambda: signed(BODY, key=Ed25519PrivateKey.generate()),
    "another body": lambda: signed(BODY + b" "),
    "another time": lambda: {**signed(BODY), "telnyx-timestamp": str(int(time.time()) - 9)},
    "not base64": lambda: {**signed(BODY), "telnyx-signature-ed25519": "§§§"},
    "too short": lambda: {**signed(BODY), "telnyx-signature-ed25519": base64.b64encode(b"x").decode()},
    "all zeros": lambda: {**signed(BODY), "telnyx-signature-ed25519": base64.b64encode(bytes(64)).decode()},
    "301 s old": lambda: signed(BODY, at=time.time() - 302),
    "301 s ahead": lambda: signed(BODY, at=time.time() + 303),
    "a fractional time": lambda: signed(BODY, at="1764000000.5"),
    "a negative time": lambda: signed(BODY, at="-1"),
    "a time in other digits": lambda: {**signed(BODY), "telnyx-timestamp": "\u0661\u0667"},
    "an endless time": lambda: signed(BODY, at="9" * 5000),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_an_untrusted_webhook_is_refused_and_not_stored(shell: Shell, name: str) -> None:
    answer = shell.post(BODY, headers=FORGERIES[name]())
    assert (answer.status_code, answer.content) == (400, b"The signature is not valid.")
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("seconds", [-295, 0, 295])
def test_a_clock_difference_of_five_minutes_is_allowed(shell: Shell, seconds: int) -> None:
    assert shell.post(BODY, headers=signed(BODY, at=time.time() + seconds)).status_code == 200


@pytest.mark.parametrize("key", ["", "not base64", base64.b64encode(b"too short").decode()])
def test_without_a_usable_key_nothing_is_trusted(
    shell: Shell, key: str, settings: Settings
) -> None:
    settings.DELIVERY = with_provider(settings, PUBLIC_KEY=key)
    assert shell.post(SENT).status_code == 503
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("separator", [",", " , "])
def test_two_keys_are_trusted_while_the_key_rotates(
    shell: Shell, separator: str, settings: Settings
) -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    settings.DELIVERY = with_provider(settings, PUBLIC_KEY=separator.join(map(public, (old, new))))
    for key in (old, new):
        assert shell.post(BODY, headers=signed(BODY, key=key)).status_code == 200
    stranger = Ed25519PrivateKey.generate()
    assert shell.post(BODY, headers=signed(BODY, key=stranger)).status_code == 400


def test_only_post_is_allowed(shell: Shell) -> None:
    assert shell.send("GET", "/webhooks/telnyx/").status_code == 405


def test_a_huge_body_is_refused_unread(shell: Shell) -> None:
    body = b'{"data":"' + b"x" * MAX_BYTES + b'"}'
    assert shell.post(body).status_code == 413
    assert not WebhookEvent.objects.exists()


NOT_JSON = {
    "empty": b"",
    "truncated": BODY[:-20],
    "text": b"hello",
    "html": b"<html></html>",
    "a list": b"[1]",
    "a string": b'"data"',
    "null": b"null",
    "NaN": b'{"data":NaN}',
    "not UTF-8": b'{"data":"\xff"}',
    "nested deeply": b'{"a":' * 400 + b"1" + b"}" * 400,
    "nested very deeply": b"[" * 100_000 + b"]" * 100_000,
    "an endless number": b'{"data":' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_a_signed_body_that_is_no_json_object_is_refused(shell: Shell, name: str) -> None:
    assert shell.post(NOT_JSON[name]).status_code == 400
    assert not WebhookEvent.objects.exists()


ODD: dict[str, Any] = {
    "no data": {"record_type": "link_clicked", "url": "https://example.com"},
    "empty": {},
    "data is a list": {"data": [1, 2]},
    "no id": {"data": {"event_type": "message.sent", "payload": {"id": "m"}}},
    "an id that is a number": {"data": {"id": 7, "event_type": 8, "payload": {"id": 9}}},
    "an endless id": {"data": {"id": "x" * 5000, "event_type": "y" * 5000}},
    "a payload that is a string": {"data": {"id": "1", "payload": "hello"}},
    "a NUL": {"data": {"id": "1\x00", "payload": {"text": "a\x00b", "a\x00": 1}}},
    "a lone surrogate": {"data": {"id": "\ud800", "payload": {"text": "\udfff"}}},
    "an infinite number": {"data": {"id": "1", "payload": {"cost": 1e999}}},
    "no time": {"data": {"id": "1", "occurred_at": "yesterday"}},
    "the first year": {"data": {"id": "1", "occurred_at": "0001-01-01T00:00:00+14:00"}},
    "the last year": {"data": {"id": "1", "occurred_at": "9999-12-31T23:59:59-14:00"}},
    "a time of day": {"data": {"id": "1", "occurred_at": 1764000000}},
}


@pytest.mark.parametrize("name", ODD)
def test_a_signed_event_of_an_unknown_form_is_stored(shell: Shell, name: str) -> None:
    body = json.dumps(ODD[name]).replace("Infinity", "1e999").encode()
    assert [shell.post(body).status_code, shell.post(body).status_code] == [200, 200]
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize("ref", ["m0", "m", "x7", "m" + "9" * 30, "m\u0661", "a" * 3000, "m7%00"])
def test_a_foreign_reference_is_dropped(shell: Shell, ref: str) -> None:
    assert shell.post(SENT, ref=ref).status_code == 200
    assert WebhookEvent.objects.get().ref == ""


def test_an_answer_is_never_cached(shell: Shell) -> None:
    assert "no-store" in shell.post(SENT).headers["cache-control"]


def test_no_number_and_no_word_of_a_text_is_logged(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    shell.post(SENT)
    shell.post(BODY, headers={})
    shell.post(BODY[:-20])
    said = "".join(f"{record.getMessage()}{vars(record)}" for record in caplog.records)
    assert "+1312" not in said
    assert "Choir" not in said


@pytest.mark.parametrize(("key", "ids"), [("nonsense", {"delivery.E007"}), ("", set())])
def test_an_unusable_key_fails_a_check(key: str, ids: set[str], settings: Settings) -> None:
    settings.DELIVERY = with_provider(settings, PUBLIC_KEY=key)
    found = {error.id for error in run_checks() if error.id == "delivery.E007"}
    assert found == ids


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/telnyx", "/webhooks/telnyx/", "/webhooks/telnyx/m7", "/webhooks/telnyx/m7/",
    ],
)  # fmt: skip
def test_the_url_works_with_and_without_the_last_slash(shell: Shell, path: str) -> None:
    answer = shell.send("POST", path, BODY, signed(BODY))
    assert answer.status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.provider, event.ref) == ("telnyx", "m7" if "m7" in path else "")


def test_a_provider_that_is_not_configured_has_no_url(shell: Shell) -> None:
    answer = shell.send("POST", "/webhooks/carrier/", BODY, signed(BODY))
    assert (answer.status_code, WebhookEvent.objects.count()) == (404, 0)
