"""The table of answers: the outcome of each code and status."""

from __future__ import annotations

import json
import logging

import pytest

from delivery.models import Outcome
from delivery.providers.one_call import HttpAnswer
from delivery.providers.telnyx.answer import outcome as read_outcome

P, C, R, T, A = (
    Outcome.PERMANENT, Outcome.CONFIGURATION, Outcome.RETRYABLE, Outcome.THROTTLED,
    Outcome.AMBIGUOUS,
)  # fmt: skip


def errors(code: str, title: str = "A title") -> bytes:
    return json.dumps({"errors": [{"code": code, "title": title, "detail": "to '+1312'"}]}).encode()


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (401, "10009", C), (403, "10010", C), (402, "20100", C), (400, "40305", C),
        (400, "40100", C), (422, "40150", C), (409, "40151", C), (400, "40155", C), (422, "40157", C),
        (500, "40323", C), (400, "40324", C), (400, "10001", C), (403, "20003", C),
        (400, "40310", P), (400, "10002", P), (422, "10015", P), (409, "40300", P),
        (422, "10027", A), (409, "10036", A), (409, "40320", R),
        (500, "10007", R), (503, "10037", R), (408, "10008", A),
        (429, "10011", T), (429, "40318", T), (429, "40333", T),
    ],
)  # fmt: skip
def test_the_code_decides_before_the_status(status: int, code: str, outcome: Outcome) -> None:
    assert read_outcome(HttpAnswer(status, {}, errors(code))).kind == outcome


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, b"", P), (404, b"<html>", P), (418, b"{}", P),
        (401, b"", C), (402, b"null", C), (403, b"[]", C),
        (409, b"", A), (429, b"", T), (503, b"<html>", R),
        (500, b"", A), (502, b"<html>", A), (504, b'{"errors":[]}', A), (301, b"", A),
        (200, b"", A), (200, b"<html>", A), (200, b'{"data":{"id":"40', A), (200, b"{}", A),
        (200, b'{"data":{"id":7}}', A), (200, b'{"data":null}', A), (204, b"", A),
        (200, b'{"data":{"id":"' + b"x" * 65 + b'"}}', A),
        (200, b"[" * 100_000, A), (500, b'{"errors":"no"}', A), (400, b'{"errors":[7]}', P),
    ],
)  # fmt: skip
def test_without_a_code_the_status_decides_and_nothing_breaks(
    status: int, body: bytes, outcome: Outcome
) -> None:
    assert read_outcome(HttpAnswer(status, {}, body)).kind == outcome


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, errors("40310"), True), (422, errors("49999"), True), (409, errors("40300"), True),
        (400, b"", False), (404, b"<html>", False), (405, b"{}", False), (413, b"<html>", False),
        (421, b"", False), (431, b"", False), (451, b"<html>", False),
        (400, b'{"errors":[]}', False), (400, b'{"errors":[{"title":"Bad request"}]}', False),
    ],
)  # fmt: skip
def test_a_refusal_is_from_telnyx_only_in_the_form_of_its_errors(
    status: int, body: bytes, said: bool
) -> None:
    told = read_outcome(HttpAnswer(status, {}, body))
    assert (told.kind, told.from_provider) == (P, said)


def test_an_accepted_text_has_an_id() -> None:
    told = read_outcome(HttpAnswer(200, {}, b'{"data":{"id":"4031"}}'))
    assert (told.kind, told.provider_id) == (Outcome.ACCEPTED, "4031")


def test_an_unknown_code_is_logged_and_falls_back_to_its_status(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "delivery"):
        assert read_outcome(HttpAnswer(422, {}, errors("49999"))).kind == P
    assert [getattr(record, "code", "") for record in caplog.records] == ["49999"]


def test_a_stored_error_contains_no_phone_number() -> None:
    told = read_outcome(HttpAnswer(400, {}, errors("40310")))
    assert "+1312" not in repr(told)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7), ({"x-ratelimit-reset": "3"}, 3), ({}, 1),
        ({"retry-after": "soon"}, 1), ({"retry-after": "-5"}, 1), ({"retry-after": "nan"}, 1),
        ({"retry-after": "1e99"}, 24 * 3600),
    ],
)  # fmt: skip
def test_a_throttled_call_waits_for_the_requested_time(
    headers: dict[str, str], seconds: float
) -> None:
    assert read_outcome(HttpAnswer(429, headers, errors("10011"))).retry_after == seconds


def test_a_full_queue_pauses_for_minutes_and_a_used_up_day_until_midnight() -> None:
    full = read_outcome(HttpAnswer(429, {}, errors("40318")))
    spent = read_outcome(HttpAnswer(429, {"retry-after": "1"}, errors("40333")))
    assert full.retry_after == 120
    assert not full.whole_account
    assert spent.hold
    assert spent.retry_after is not None
    assert 1 < spent.retry_after <= 24 * 3600


@pytest.mark.parametrize("code", ["40100", "40151", "40155", "40323", "40305", "40329"])
def test_an_unusable_number_pauses_alone(code: str) -> None:
    told = read_outcome(HttpAnswer(400, {}, errors(code)))
    assert (told.retry_after, told.hold, told.whole_account) == (10, False, False)


@pytest.mark.parametrize("code", ["40308", "40309", "40331", "40310", "40322"])
def test_a_refusal_of_one_text_pauses_no_number(code: str) -> None:
    assert read_outcome(HttpAnswer(400, {}, errors(code))).retry_after is None


@pytest.mark.parametrize("code", ["20001", "20003", "20009", "20100", "40314"])
def test_a_refused_key_or_account_is_held(code: str) -> None:
    assert read_outcome(HttpAnswer(400, {}, errors(code))).hold


@pytest.mark.parametrize(
    ("stated", "parts", "encoding"),
    [
        ({"parts": 3, "encoding": "UCS-2"}, 3, "UCS-2"), ({"parts": 1, "encoding": "gsm-7"}, 1, "GSM-7"),
        ({"parts": 2, "encoding": "UTF-16"}, 2, "UCS-2"), ({}, None, None),
        ({"parts": 0}, None, None), ({"parts": -1}, None, None), ({"parts": "3"}, None, None),
        ({"parts": True}, None, None), ({"parts": 2.0}, None, None), ({"parts": 10**9}, None, None),
        ({"parts": None, "encoding": None}, None, None), ({"encoding": "Klingon"}, None, None),
        ({"encoding": ["UCS-2"]}, None, None), ({"parts": {"n": 1}}, None, None),
    ],
)  # fmt: skip
def test_an_answer_states_what_is_billed_or_nothing(
    stated: dict[str, object], parts: int | None, encoding: str | None
) -> None:
    body = json.dumps({"data": {"id": "4031", **stated}}).encode()
    told = read_outcome(HttpAnswer(200, {}, body))
    assert told.kind == Outcome.ACCEPTED
    assert (told.billed.parts, told.billed.encoding) == (parts, encoding)
