"""Streams in every coding are decodable chunk by chunk, on both stacks; BREACH is prevented."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import brotli
import pytest
from backports import zstd
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings

from httpopt.compression.encoders import encode
from httpopt.compression.negotiation import Coding
from httpopt.middleware import CompressionMiddleware

DECODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}
INCREMENTAL: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
    "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16).decompress,
    "br": lambda: brotli.Decompressor().process,
    "zstd": lambda: zstd.ZstdDecompressor().decompress,
}
LINES = [f"line {number}\n".encode() for number in range(5)]


@pytest.mark.parametrize("coding", list(DECODE))
def test_each_chunk_is_decodable_on_arrival(coding: str) -> None:
    response = cast(Any, Client().get("/lines/", headers={"Accept-Encoding": coding}))
    assert response["Content-Encoding"] == coding
    assert not response.has_header("Content-Length")
    assert not response.has_header("X-Padding")
    decode = INCREMENTAL[coding]()
    chunks = iter(response.streaming_content)
    assert [decode(next(chunks)) for _ in LINES] == LINES


@pytest.mark.parametrize("coding", list(DECODE))
async def test_each_chunk_of_an_async_stream_is_decodable_on_arrival(coding: str) -> None:
    response = await AsyncClient().get("/async-lines/", headers={"Accept-Encoding": coding})
    decode = INCREMENTAL[coding]()
    chunks: AsyncIterator[bytes] = aiter(cast(Any, response).streaming_content)
    assert [decode(await anext(chunks)) for _ in LINES] == LINES


@pytest.mark.parametrize("coding", list(DECODE))
def test_the_whole_stream_is_one_well_formed_body(coding: str) -> None:
    response = cast(Any, Client().get("/lines/", headers={"Accept-Encoding": coding}))
    assert DECODE[coding](response.getvalue()) == b"".join(LINES)


def test_an_event_stream_is_not_encoded() -> None:
    headers = {"Accept-Encoding": "gzip"}
    response = cast(Any, Client().get("/lines/?type=text/event-stream", headers=headers))
    assert not response.has_header("Content-Encoding")
    assert response.getvalue() == b"".join(LINES)


@pytest.mark.django_db
@pytest.mark.parametrize("tag", ["*", '"x"'])
def test_the_stream_of_a_versioned_view_has_no_tag(tag: str) -> None:
    response = cast(Any, Client().get("/streamed/", headers={"If-None-Match": tag}))
    assert (response.status_code, response.has_header("ETag")) == (200, False)
    assert response.getvalue() == b"".join(LINES)


@pytest.mark.parametrize("coding", list(DECODE))
def test_many_threads_encode_at_once(coding: str) -> None:
    bodies = [bytes([number]) * 50_000 for number in range(32)]
    with ThreadPoolExecutor(8) as pool:
        coded = pool.map(lambda body: encode(Coding(coding), body), bodies)
        assert [DECODE[coding](one) for one in coded] == bodies


@pytest.mark.parametrize(("size", "elsewhere"), [(100_000, False), (100_001, True)])
async def test_a_large_body_is_encoded_off_the_loop(
    size: int, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    where: list[threading.Thread] = []

    def recording_encode(coding: Coding, body: bytes) -> bytes:
        where.append(threading.current_thread())
        return encode(coding, body)

    monkeypatch.setattr("httpopt.compression.responses.encode", recording_encode)

    async def view(_: HttpRequest) -> HttpResponse:
        return HttpResponse(b"x" * size)

    request = RequestFactory().get("/", headers={"Accept-Encoding": "zstd"})
    response = await cast(Any, CompressionMiddleware(view)(request))
    assert zstd.decompress(response.content) == b"x" * size
    assert (where[0] is not threading.current_thread()) == elsewhere


class TestBreach:
    def padding(self, path: str, **headers: str) -> int:
        response = Client().get(path, headers={"Accept-Encoding": "gzip", **headers})
        assert response["Content-Encoding"] == "gzip"
        return len(response["X-Padding"])

    def test_the_padding_is_the_same_for_the_same_answer(self) -> None:
        assert len({self.padding("/page/") for _ in range(5)}) == 1

    def test_the_padding_differs_from_answer_to_answer(self) -> None:
        lengths = {self.padding(f"/page/?size={2000 + number}") for number in range(40)}
        assert len(lengths) > 20
        assert min(lengths) >= 1
        assert max(lengths) <= 64

    def test_the_padding_depends_on_the_key(self) -> None:
        paths = [f"/page/?size={2000 + number}" for number in range(10)]
        ours = [self.padding(path) for path in paths]
        with override_settings(SECRET_KEY="another"):
            assert [self.padding(path) for path in paths] != ours

    def test_an_answer_without_a_coding_is_not_padded(self) -> None:
        assert not Client().get("/page/").has_header("X-Padding")
        small = Client().get("/page/?size=10", headers={"Accept-Encoding": "gzip"})
        assert not small.has_header("X-Padding")

    @pytest.mark.parametrize(
        ("site", "cookie", "coded"),
        [
            ("cross-site", True, False),
            ("cross-site", False, True),
            ("same-origin", True, True),
            ("same-site", True, True),
            ("none", True, True),
            (None, True, True),
        ],
    )
    def test_a_cross_site_request_with_the_cookie_gets_no_coding(
        self, site: str | None, cookie: bool, coded: bool
    ) -> None:
        client = Client()
        if cookie:
            client.cookies["sessionid"] = "s"
        headers = {"Accept-Encoding": "gzip", **({"Sec-Fetch-Site": site} if site else {})}
        response = client.get("/page/", headers=headers)
        assert response.has_header("Content-Encoding") == coded
        assert response["ETag"].endswith('.g"' if coded else '.i"')
