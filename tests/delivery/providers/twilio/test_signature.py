"""Our signature and the official validator agree, both ways, over any form."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from delivery.providers.twilio.signature import (
    MOST_FIELDS,
    RETRY_OVERRIDES,
    compute,
    fields_of,
    is_hash_of,
    is_valid,
    signed_body_hash,
)

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER = "ffffffffffffffffffffffffffffffff"
URL = "https://church.example.org/webhooks/twilio/m12/"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
forms = st.lists(st.tuples(texts, texts), max_size=12)


@settings(deadline=None)
@given(forms, st.sampled_from([URL, "http://127.0.0.1:8000/webhooks/twilio/", URL[:-1]]))
def test_the_official_validator_accepts_our_signature(
    pairs: list[tuple[str, str]], url: str
) -> None:
    body = urlencode(pairs)
    signature = compute(TOKEN, url, fields_of(body.encode()))
    assert RequestValidator(TOKEN).validate(url, QueryDict(body), signature)
    assert not RequestValidator(OTHER).validate(url, QueryDict(body), signature)


@settings(deadline=None)
@given(forms, st.sampled_from([URL, "http://127.0.0.1:8000/webhooks/twilio/", URL[:-1]]))
def test_we_accept_the_official_signature(pairs: list[tuple[str, str]], url: str) -> None:
    body = urlencode(pairs)
    signature = RequestValidator(TOKEN).compute_signature(url, QueryDict(body))
    fields = fields_of(body.encode())
    assert is_valid([TOKEN], url, fields, signature)
    assert is_valid([OTHER, TOKEN], url, fields, signature)
    assert not is_valid([OTHER], url, fields, signature)
    assert not is_valid([], url, fields, signature)
    assert not is_valid([""], url, fields, signature)


@settings(deadline=None)
@given(forms, texts)
def test_one_field_more_breaks_the_signature(pairs: list[tuple[str, str]], value: str) -> None:
    fields = fields_of(urlencode(pairs).encode())
    signature = compute(TOKEN, URL, fields)
    assert not is_valid([TOKEN], URL, {**fields, "zzz new": [value]}, signature)


@pytest.mark.parametrize(
    "signed",
    [
        URL,
        URL.replace("example.org", "example.org:443"),
        URL + RETRY_OVERRIDES,
        URL.replace("example.org", "example.org:443") + RETRY_OVERRIDES,
    ],
)
def test_port_and_retry_overrides_may_be_signed_or_left_out(signed: str) -> None:
    signature = compute(TOKEN, signed, {"To": ["+1"]})
    assert is_valid([TOKEN], URL, {"To": ["+1"]}, signature)


@pytest.mark.parametrize(
    "signed",
    [
        URL.replace("https", "http"),
        URL.replace("church", "evil"),
        URL.replace("example.org", "example.org:8443"),
        URL.replace("m12", "m13"),
        URL + "?a=1",
        URL + "#other",
    ],
)
def test_another_url_is_not_ours(signed: str) -> None:
    assert not is_valid([TOKEN], URL, {}, compute(TOKEN, signed, {}))


def test_our_own_port_may_be_left_out_of_the_signature() -> None:
    ours = "http://127.0.0.1:8000/webhooks/twilio/"
    assert is_valid([TOKEN], ours, {}, compute(TOKEN, ours.replace(":8000", ""), {}))


@pytest.mark.parametrize("signature", ["", "x", "é", "\udc80", "A" * 28])
def test_an_odd_signature_is_wrong_and_no_error(signature: str) -> None:
    assert not is_valid([TOKEN], URL, {}, signature)


def test_blanks_and_empty_values_count() -> None:
    assert fields_of(b"Body=+hello+&FromCity=&A=%00") == {
        "Body": [" hello "],
        "FromCity": [""],
        "A": ["\x00"],
    }


@pytest.mark.parametrize("body", [b"Body=%ff", b"\xff=1", b"&".join([b"a=1"] * (MOST_FIELDS + 1))])
def test_a_form_that_cannot_be_read_raises_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the reason is Python's
        fields_of(body)


def test_a_body_that_is_no_form_is_known_by_its_hash() -> None:
    body = '{"a": 1}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(url, {})
    assert RequestValidator(TOKEN).validate(url, body, signature)
    assert is_valid([TOKEN], url, {}, signature)
    assert is_hash_of(signed_body_hash(url), body.encode())
    assert not is_hash_of(signed_body_hash(url), b"{}")
    assert not is_hash_of(signed_body_hash(URL), b"")
