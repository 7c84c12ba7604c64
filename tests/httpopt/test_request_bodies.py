"""Request bodies with a content coding, on every kind of route that accepts a body."""

from __future__ import annotations

import gzip
import io
import json
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from backports import zstd
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from httpopt.compression.request_bodies import DecodedStream, decode_body
from koinonia.models import Church, Group, Member
from tests.delivery.accounts import with_provider
from tests.support import cast

GROUPS = "/api/v1/churches/grace/groups/"
IMPORT = "/api/v1/churches/grace/members/import/"
MESSAGES = "/api/v1/churches/grace/messages/"
PROBLEM = "application/problem+json"
Code = Callable[[bytes], bytes]


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CODINGS: dict[str, tuple[str, Code]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "GZIP": ("GZIP", gzip.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
    "two frames": ("zstd", lambda data: zstd.compress(data[:9]) + zstd.compress(data[9:])),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "identity": ("identity", bytes),
    "one after the other": ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
}
ZEROS: dict[str, Callable[[int], bytes]] = {
    "gzip": lambda size: gzip.compress(bytes(size)),
    "br": lambda size: brotli.compress(bytes(size), quality=1),
    "zstd": lambda size: zstd.compress(bytes(size)),
    "deflate": lambda size: zlib.compress(bytes(size)),
}


@pytest.fixture
def client(grace_sender: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(grace_sender)
    return client


def post(
    client: Client, path: str, body: bytes, coding: str, kind: str = "application/json", **more: str
) -> Any:
    headers = {"Content-Encoding": coding, **more}
    return client.generic("POST", path, body, content_type=kind, headers=headers)


@pytest.mark.parametrize("name", CODINGS)
def test_a_coded_body_is_read(client: Client, grace: Church, name: str) -> None:
    coding, code = CODINGS[name]
    body = json.dumps({"name": f"Choir {name}"}).encode()
    answer = post(client, GROUPS, code(body), coding)
    assert (answer.status_code, answer.json()["name"]) == (201, f"Choir {name}")


@pytest.mark.parametrize("name", CODINGS)
def test_a_coded_file_is_imported(client: Client, grace: Church, name: str) -> None:
    coding, code = CODINGS[name]
    rows = "".join(f"Ann{n},Lee,+1312555{n:04},\n" for n in range(100, 200))
    file = f"first_name,last_name,phone,groups\n{rows}".encode()
    answer = post(client, IMPORT, code(file), coding, "text/csv")
    assert (answer.status_code, answer.json()["created"]) == (200, 100)


def test_a_coded_form_is_read(client: Client, grace: Church) -> None:
    file = b"first_name,last_name,phone,groups\nAnn,Lee,+13125550123,\n"
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n%s\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x"
    assert post(client, IMPORT, gzip.compress(form % file), "gzip", kind).json()["created"] == 1
    assert Member.objects.get(church=grace).first_name == "Ann"


def test_a_coded_login_form_is_read(grace_sender: User) -> None:
    form = f"username={grace_sender.username}&password={cast.PASSWORD}".encode()
    kind = "application/x-www-form-urlencoded"
    answer = post(Client(), "/login/", gzip.compress(form), "gzip", kind)
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize("coding", ZEROS)
@pytest.mark.parametrize(("path", "kind"), [(GROUPS, "application/json"), (IMPORT, "text/csv")])
def test_a_decompression_bomb_is_refused_in_constant_memory(
    client: Client, grace: Church, coding: str, path: str, kind: str
) -> None:
    bomb = ZEROS[coding](200 * 2**20)
    assert len(bomb) < 2**20
    client.get("/api/v1/me/")  # loads modules before the measurement
    tracemalloc.start()
    try:
        answer = post(client, path, bomb, coding, kind)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer["Content-Type"]) == (413, PROBLEM)
    assert peak < 40 * 2**20


def test_a_bomb_within_a_bomb_is_refused(client: Client, grace: Church) -> None:
    bomb = gzip.compress(gzip.compress(bytes(200 * 2**20)))
    assert post(client, GROUPS, bomb, "gzip, gzip").status_code == 413


EMPTY_PARTS: dict[str, bytes] = {
    "gzip": gzip.compress(b""),
    "zstd": zstd.compress(b""),
    "skippable zstd": b"\x50\x2a\x4d\x18\x00\x00\x00\x00",
}


@pytest.mark.parametrize("name", EMPTY_PARTS)
@pytest.mark.parametrize("outer", ["zstd", None])
def test_a_body_of_very_many_parts_is_refused_before_they_are_decoded(
    client: Client, grace: Church, name: str, outer: str | None
) -> None:
    """Refuse many empty parts: 600 bytes of nested frames can cost many seconds of CPU."""
    coding = name.split()[-1]
    parts = EMPTY_PARTS[name] * 100_000
    body, codings = (zstd.compress(parts), f"{coding}, zstd") if outer else (parts, coding)
    usual = _cpu_seconds(lambda: post(client, GROUPS, gzip.compress(b'{"name": "A"}'), "gzip"))
    answers: list[Any] = []
    took = _cpu_seconds(lambda: answers.append(post(client, GROUPS, body, codings)))
    assert (answers[0].status_code, answers[0]["Content-Type"]) == (400, PROBLEM)
    assert took < 20 * usual


def _cpu_seconds(act: Callable[[], object]) -> float:
    start = time.process_time()
    act()
    return time.process_time() - start


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_body_of_several_hundred_parts_is_read(
    client: Client, grace: Church, coding: str
) -> None:
    pack = CODINGS[coding][1]
    body = b"".join(pack(bytes([byte])) for byte in b'{"name": "' + b"A" * 90 + b'"}')
    body += pack(b" ") * 500
    headers = {"Content-Encoding": coding}
    answer = client.generic("POST", GROUPS, body, "application/json", headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("coding", ["compress", "gzip, sdch", "aes128gcm", "*", "gzip;q=1"])
@pytest.mark.parametrize(("path", "kind"), [(GROUPS, "application/json"), (IMPORT, "text/csv")])
def test_an_unknown_coding_is_415_and_the_known_ones_are_named(
    client: Client, grace: Church, coding: str, path: str, kind: str
) -> None:
    answer = post(client, path, b"{}", coding, kind)
    assert (answer.status_code, answer["Content-Type"]) == (415, PROBLEM)
    assert answer["Accept-Encoding"] == "gzip, br, zstd, deflate"
    assert not Group.objects.filter(church=grace).exists()


@pytest.mark.parametrize("path", ["/login/", "/webhooks/telnyx/"])
def test_an_unknown_coding_is_415_outside_the_api_too(
    db: None, path: str, settings: Settings
) -> None:
    settings.DELIVERY = with_provider(settings, PUBLIC_KEY="A" * 43 + "=")
    client = Client(raise_request_exception=False)
    answer = post(client, path, b"a=b", "compress", "application/x-www-form-urlencoded")
    assert (answer.status_code, answer["Accept-Encoding"]) == (415, "gzip, br, zstd, deflate")


def test_many_codings_are_refused(client: Client, grace: Church) -> None:
    body = b'{"name": "Choir"}'
    for _ in range(9):
        body = gzip.compress(body)
    assert post(client, GROUPS, body, ", ".join(["gzip"] * 9)).status_code == 415


def test_a_missing_credential_is_refused_before_the_coding(db: None) -> None:
    assert post(Client(), GROUPS, b"{}", "compress").status_code == 401
    assert post(Client(), GROUPS, b"no gzip", "gzip").status_code == 401


@pytest.mark.parametrize("name", [name for name in CODINGS if name != "identity"])
@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_body_that_is_not_in_its_coding_is_400(
    client: Client, grace: Church, name: str, damage: str
) -> None:
    coding, code = CODINGS[name]
    body = code(b'{"name": "Choir"}')
    broken = body[:-3] if damage == "cut" else b"\x01\x02\x03no such coding" * 9
    answer = post(client, GROUPS, broken, coding)
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert not Group.objects.filter(church=grace).exists()


def test_the_same_body_in_another_coding_is_the_same_request(client: Client, grace: Church) -> None:
    body = json.dumps({"to": "+13125550150", "text": "Choir at 7"}).encode()
    first = post(client, MESSAGES, gzip.compress(body), "gzip", **{"Idempotency-Key": "once"})
    again = post(client, MESSAGES, brotli.compress(body), "br", **{"Idempotency-Key": "once"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]


@given(
    data=st.binary(max_size=3000).map(lambda seed: seed * 200),
    name=st.sampled_from(
        [name for name in CODINGS if name not in ("identity", "one after the other")]
    ),
    size=st.integers(1, 100_000),
)
@settings(max_examples=150, deadline=None)
def test_any_body_is_read_back_in_pieces_of_any_size(data: bytes, name: str, size: int) -> None:
    coding, code = CODINGS[name]
    stream = DecodedStream(io.BytesIO(code(data)), coding.lower().removeprefix("x-"))
    pieces = []
    while piece := stream.read(size):
        pieces.append(piece)
    assert b"".join(pieces) == data
    assert all(len(piece) == size for piece in pieces[:-1])


def test_lines_of_a_coded_body_are_read() -> None:
    stream = DecodedStream(io.BytesIO(gzip.compress(b"one\ntwo\nthree")), "gzip")
    assert [stream.readline(), stream.readline(2), stream.readline()] == [b"one\n", b"tw", b"o\n"]
    assert [stream.readline(), stream.readline()] == [b"three", b""]


def test_a_body_is_decoded_only_when_it_is_read() -> None:
    headers = {"Content-Encoding": "gzip"}
    request = RequestFactory().generic("POST", "/", b"no gzip", headers=headers)
    decode_body(request)
    assert "Content-Encoding" not in request.headers
