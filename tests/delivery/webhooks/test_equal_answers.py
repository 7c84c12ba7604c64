"""The ASGI application answers what the project answers without it, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from delivery.providers.twilio.signature import compute, fields_of
from delivery.webhooks.asgi import WebhookIntake
from delivery.webhooks.intake import MAX_BYTES
from koinonia.http.request_threads import RequestThreadHandler
from koinonia.http.scopes import with_readable_content_type
from tests.delivery.webhooks import signing, test_endpoint
from tests.delivery.webhooks.shells import Answer, call

pytestmark = pytest.mark.django_db(transaction=True)

BODY = test_endpoint.BODY
_TIME = re.compile(r"\d\d:\d\d:\d\d")

Case = tuple[str, str, bytes, Mapping[str, str], Mapping[str, Any]]


def _case(
    body: bytes = BODY,
    path: str = "/webhooks/telnyx/m7/",
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    **over: Any,
) -> Case:
    return method, path, body, signing.signed(body) if headers is None else headers, over


CASES: dict[str, Case] = {
    **{f"forged: {name}": _case(headers=made()) for name, made in test_endpoint.FORGERIES.items()},
    **{f"no JSON: {name}": _case(body) for name, body in test_endpoint.NOT_JSON.items()},
    **{
        f"odd: {name}": _case(json.dumps(data).replace("Infinity", "1e999").encode())
        for name, data in test_endpoint.ODD.items()
    },
    "good": _case(),
    "good, without the last slash": _case(path="/webhooks/telnyx"),
    "a query": _case(path="/webhooks/telnyx/?a=1&b=%20"),
    "https": _case(scheme="https"),
    "a proxy that says https": _case(headers={**signing.signed(BODY), "X-Forwarded-Proto": "https"}),
    "a coding of the answer": _case(headers={**signing.signed(BODY), "Accept-Encoding": "gzip, br"}),
    "an origin": _case(headers={**signing.signed(BODY), "Origin": "https://example.com"}),
    "too large": _case(b"x" * (MAX_BYTES + 1)),
    "GET": _case(method="GET"),
    "OPTIONS": _case(method="OPTIONS"),
    "an unknown provider": _case(path="/webhooks/carrier/"),
    "too many parts": _case(path="/webhooks/telnyx/m7/m8/"),
    "a coded body": _case(headers={**signing.signed(BODY), "Content-Encoding": "gzip"}),
    "an unknown coding": _case(headers={**signing.signed(BODY), "Content-Encoding": "compress"}),
    "a foreign host": _case(headers={**signing.signed(BODY), "Host": "evil.example"}),
    "no host": _case(headers={**signing.signed(BODY), "Host": ""}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def urls_of_the_project(configured: None, settings: Settings) -> None:
    settings.ROOT_URLCONF = "koinonia.urls"


def _both(case: Case) -> tuple[Answer, Answer]:
    method, path, body, headers, over = case
    fields = {"host": "testserver", "content-length": str(len(body)), **headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    django = with_readable_content_type(RequestThreadHandler())
    return (
        _timeless(call(django, method, path, body, raw, **over)),
        _timeless(call(WebhookIntake(django), method, path, body, raw, **over)),
    )


def _timeless(answer: Answer) -> Answer:
    headers = {name: _TIME.sub("…", value) for name, value in answer.headers.items()}
    return Answer(answer.status_code, headers, answer.content)


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_the_same_with_and_without_the_application(name: str) -> None:
    method, path, body, headers, over = CASES[name]
    fields = {"content-type": "application/json", "user-agent": "a provider", **headers}
    without, within = _both((method, path, body, fields, over))
    assert within == without


@pytest.mark.parametrize("public_url", ["", "https://texts.example.org"])
def test_a_signed_form_is_answered_the_same(public_url: str, settings: Settings) -> None:
    options = {
        "BACKEND": "delivery.providers.twilio.provider.TwilioProvider",
        "ACCOUNT_SID": "AC" + "0" * 32,
        "AUTH_TOKEN": "the token of Grace church",
    }
    settings.DELIVERY = {
        **settings.DELIVERY, "PUBLIC_URL": public_url, "PROVIDERS": {"twilio": options},
    }  # fmt: skip
    path, body = "/webhooks/twilio/m7/?a=%C3%9F", b"MessageSid=SM1&MessageStatus=sent"
    url = (public_url or "http://testserver") + path
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": compute(str(options["AUTH_TOKEN"]), url, fields_of(body)),
    }
    without, within = _both(("POST", path, body, headers, {}))
    assert within == without
    assert within.status_code == 200
