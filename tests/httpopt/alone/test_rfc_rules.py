"""The rules of RFC 9110 and 9111 as tables: request headers, then status and headers.

Every case runs on the sync stack and on the async stack.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.httpopt.alone.library.models import Library

ANN = {"Authorization": "Name ann"}
Ask = Callable[..., Any]


# RFC 9110, 12.5.3: Accept-Encoding.
CODINGS = [
    (None, None),
    ("", None),
    ("gzip", "gzip"),
    ("br", "br"),
    ("zstd", "zstd"),
    ("x-gzip", "gzip"),
    ("GZIP", "gzip"),
    ("Br", "br"),
    ("deflate", None),
    ("compress, deflate", None),
    ("identity", None),
    ("gzip, br, zstd", "zstd"),
    ("gzip, br", "br"),
    ("gzip, deflate", "gzip"),
    ("gzip;q=1.0, br;q=0.9, zstd;q=0.8", "gzip"),
    ("gzip;q=0.5, br;q=0.8", "br"),
    ("gzip;q=0", None),
    ("gzip;q=0.000", None),
    ("gzip;q=0.001", "gzip"),
    ("gzip;Q=0", None),
    ("gzip; q=0, br", "br"),
    ("zstd;q=0, br;q=0, gzip", "gzip"),
    ("*", "zstd"),
    ("*;q=0", None),
    ("*;q=0, gzip", "gzip"),
    ("*;q=0.5, gzip;q=1", "gzip"),
    ("zstd;q=0, *", "br"),
    ("zstd;q=0, br;q=0, gzip;q=0, *", None),
    ("identity;q=1, gzip;q=0.5", None),
    ("identity;q=0.5, gzip;q=1", "gzip"),
    ("identity;q=0.5, gzip;q=0.5", "gzip"),
    ("identity;q=0, gzip;q=0.1", "gzip"),
    ("identity;q=0", None),
    ("gzip ; q=0.7 , br;q=0.6", "gzip"),
    ("\tgzip", "gzip"),
    (", ,gzip, ,", "gzip"),
    ("gzip;q=2", None),
    ("gzip;q=-1", None),
    ("gzip;q=1.001", None),
    ("gzip;q=0.1234", None),
    ("gzip;q=", None),
    ("gzip;q=abc", None),
    ("gzip;q=NaN, br", "br"),
    ("gzip;level=9", None),
    ("gzip gzip", None),
    ("gz\u00efp, br", "br"),
    ("gzip;q=0, gzip;q=1", None),
    ("mygzip", None),
    ("gzip-9", None),
    ("gzip" + ", x" * 1000, None),
    (";;;;,,,,====", None),
]


@pytest.mark.parametrize(("accepted", "coding"), CODINGS)
def test_the_coding_is_the_most_preferred_by_the_client(
    request_as: Ask, accepted: str | None, coding: str | None
) -> None:
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    response = request_as("GET", "/page/", headers)
    assert response.status_code == 200
    assert response.get("Content-Encoding") == coding
    assert "Accept-Encoding" in response["Vary"]


# Paths, and whether their answer is encoded.
BODIES = [
    ("/page/?size=1024", False),
    ("/page/?size=1025", True),
    ("/page/?size=0", False),
    ("/page/?type=application/json", True),
    ("/page/?type=application/problem%2Bjson", True),
    ("/page/?type=APPLICATION/JSON", True),
    ("/page/?type=image/svg%2Bxml", True),
    ("/page/?type=image/png", False),
    ("/page/?type=video/mp4", False),
    ("/page/?type=application/zip", False),
    ("/page/?type=font/woff2", False),
    ("/page/?type=application/octet-stream", False),
    ("/page/?type=text/event-stream", False),
    ("/page/?Cache-Control=no-transform", False),
    ("/page/?Cache-Control=private,%20No-Transform", False),
    ("/page/?Content-Encoding=identity", False),
    ("/page/?Content-Range=bytes%200-1999/3000&status=206", False),
    ("/page/?status=206", False),
    ("/page/?status=201", True),
    ("/page/?status=404", True),
    ("/page/?status=500", True),
    ("/noise/", False),
]


@pytest.mark.parametrize(("path", "coded"), BODIES)
def test_an_answer_is_encoded_only_if_allowed_and_smaller(
    request_as: Ask, path: str, coded: bool
) -> None:
    response = request_as("GET", path, {"Accept-Encoding": "gzip"})
    assert (response.get("Content-Encoding") == "gzip") == coded
    if coded:
        assert int(response["Content-Length"]) == len(response.content)


@pytest.mark.parametrize("path", ["/1/books/", "/1/books/1/", "/plain/", "/page/", "/for-a-while/"])
@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_304_has_the_fields_of_its_200_and_no_representation(
    request_as: Ask, library: Library, path: str, coding: str, method: str
) -> None:
    path = path.replace("1", str(library.pk), 1) if path.startswith("/1/books/1") else path
    path = _of(library, path)
    headers = {**ANN, "Accept-Encoding": coding}
    first = request_as("GET", path, headers)
    assert first.status_code == 200
    again = request_as(method, path, {**headers, "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again[name] == first[name]
    assert again.has_header("Expires") == first.has_header("Expires")
    for name in ("Content-Type", "Content-Length", "Content-Encoding", "Last-Modified"):
        assert not again.has_header(name)
    assert not again.has_header("X-Padding")


def _of(library: Library, path: str) -> str:
    book = library.books.order_by("id").first()
    assert book is not None
    if path.startswith("/1/") or path.startswith(f"/{library.pk}/"):
        path = f"/{library.pk}/books/" + (f"{book.pk}/" if path.count("/") > 3 else "")
    return path


# {tag}: the current tag; {gzip}: the tag of another coding. RFC 9110, 13.1 and 13.2.2.
PRECONDITIONS = [
    ({"If-None-Match": "{tag}"}, 304),
    ({"If-None-Match": "W/{tag}"}, 304),
    ({"If-None-Match": '"other"'}, 200),
    ({"If-None-Match": '"other", {tag}'}, 304),
    ({"If-None-Match": '{tag}, "other"'}, 304),
    ({"If-None-Match": ', ,"a,b" ,{tag},'}, 304),
    ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": " * "}, 304),
    ({"If-None-Match": '*, "other"'}, 200),
    ({"If-None-Match": "{bare}"}, 200),
    ({"If-None-Match": '"{bare}'}, 200),
    ({"If-None-Match": "w/{tag}"}, 200),
    ({"If-None-Match": "'{bare}'"}, 200),
    ({"If-None-Match": '"other" {tag}'}, 200),
    ({"If-None-Match": ""}, 200),
    ({"If-None-Match": ",,,"}, 200),
    ({"If-None-Match": '""'}, 200),
    ({"If-None-Match": "{gzip}"}, 200),
    # Tags as changed by proxies (docs/decisions/0025).
    ({"If-None-Match": '"{bare}-gzip"'}, 304),
    ({"If-None-Match": '"{bare}-unzip"'}, 200),
    ({"If-None-Match": '"x", ' * 2000 + "{tag}"}, 200),
    ({"If-None-Match": '"' * 5000}, 200),
    ({"If-None-Match": "\u00ff\u00fe"}, 200),
    ({"If-Modified-Since": "Tue, 24 Nov 2099 00:00:00 GMT"}, 200),
    ({"If-Modified-Since": "Tue, 24 Nov 2099 00:00:00 GMT", "If-None-Match": '"other"'}, 200),
    ({"If-Modified-Since": "Tue, 24 Nov 1999 00:00:00 GMT", "If-None-Match": "{tag}"}, 304),
    ({"If-Modified-Since": "yesterday"}, 200),
    ({"If-Unmodified-Since": "Tue, 24 Nov 1999 00:00:00 GMT"}, 200),
    ({"If-Match": "{tag}"}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": '"other"'}, 412),
    ({"If-Match": '"other", {tag}'}, 200),
    ({"If-Match": "W/{tag}"}, 200),
    ({"If-Match": 'W/"other"'}, 412),
    ({"If-Match": "nonsense"}, 400),
    ({"If-Match": '"x",' * 5000}, 400),
    ({"If-Match": "{tag}", "If-None-Match": "{tag}"}, 304),
    ({"If-Match": '"other"', "If-None-Match": "{tag}"}, 412),
    ({"If-Match": "{tag}", "If-None-Match": '"other"'}, 200),
    ({"If-Match": "*", "If-Unmodified-Since": "Tue, 24 Nov 1999 00:00:00 GMT"}, 200),
    ({"Range": "bytes=0-9"}, 200),
    ({"Range": "bytes=0-9", "If-Range": "{tag}"}, 200),
    ({"Range": "bytes=0-9", "If-None-Match": "{tag}"}, 304),
    ({"Cache-Control": "no-cache", "If-None-Match": "{tag}"}, 304),
    ({"Pragma": "no-cache", "If-None-Match": "{tag}"}, 304),
]


@pytest.mark.parametrize("path", ["/1/books/", "/1/books/1/", "/page/"])
@pytest.mark.parametrize(("conditions", "status"), PRECONDITIONS)
def test_preconditions_are_evaluated_in_the_order_of_the_rfc(
    request_as: Ask, library: Library, path: str, conditions: dict[str, str], status: int
) -> None:
    path = _of(library, path)
    tag = request_as("GET", path, ANN)["ETag"]
    words = {
        "tag": tag,
        "bare": tag.strip('"'),
        "gzip": request_as("GET", path, {**ANN, "Accept-Encoding": "gzip"})["ETag"],
    }
    filled = {name: _filled(value, words) for name, value in conditions.items()}
    response = request_as("GET", path, {**ANN, **filled})
    assert response.status_code == status
    assert request_as("HEAD", path, {**ANN, **filled}).status_code == status
    if status >= 400:
        assert response["Cache-Control"] == "no-store"
        assert not response.has_header("ETag")
    else:
        assert response["ETag"] == tag


def _filled(value: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        value = value.replace(f"{{{name}}}", word)
    return value


# RFC 9110, 13.2.1: other refusals take precedence over preconditions.
REFUSALS = [
    ("GET", "/1/books/", {"Authorization": "Name nobody"}, 401),
    ("GET", "/1/books/", {}, 401),
    ("GET", "/1/books/", {"Authorization": "Name forbidden"}, 403),
    ("GET", "/1/books/", {**ANN, "X-Too-Much": "1"}, 429),
    ("GET", "/1/books/999999/", ANN, 404),
    ("GET", "/nowhere/", ANN, 404),
    ("GET", "/1/books/?fields=nope", ANN, 400),
    ("DELETE", "/1/books/", ANN, 405),
    ("GET", "/broken/", ANN, 500),
    ("PATCH", "/1/books/999999/", ANN, 404),
    ("PUT", "/for-a-while/", ANN, 405),
    ("GET", "/1/books/?cursor=nonsense", ANN, 404),
    ("GET", "/1/books/", {**ANN, "Accept": "image/png"}, 406),
]


@pytest.mark.parametrize(
    "conditions",
    [{}, {"If-None-Match": "*"}, {"If-None-Match": '"x"'}, {"If-Match": "*"}, {"If-Match": '"x"'}],
)
@pytest.mark.parametrize(("method", "path", "headers", "status"), REFUSALS)
def test_a_refusal_takes_precedence_over_preconditions_and_is_never_stored(
    request_as: Ask,
    library: Library,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    conditions: dict[str, str],
) -> None:
    path = path.replace("/1/", f"/{library.pk}/", 1)
    response = request_as(method, path, {**headers, **conditions})
    assert response.status_code == status
    assert response["Cache-Control"] == "no-store"
    for name in ("ETag", "Expires", "Last-Modified"):
        assert not response.has_header(name)


# RFC 9111, 5.2.2 and 3.5.
CACHING = [
    ("GET", "/1/books/", ANN, "private, no-cache"),
    ("GET", "/for-a-while/", ANN, "private, max-age=3600"),
    ("GET", "/for-a-while/", {}, "public, max-age=3600"),
    ("GET", "/plain/", ANN, "private, no-cache"),
    ("GET", "/page/", {}, "private, no-cache"),
    ("GET", "/page/?Cache-Control=public,max-age=9", {}, "public,max-age=9"),
    ("GET", "/page/?status=404&Cache-Control=public,max-age=9", {}, "no-store"),
    ("GET", "/page/?status=503&Expires=x&ETag=%22x%22", {}, "no-store"),
    ("GET", "/lines/", {}, "no-store"),
    ("POST", "/plain/", ANN, "no-store"),
    ("POST", "/page/", {}, "no-store"),
]


@pytest.mark.parametrize(("method", "path", "headers", "cache_control"), CACHING)
def test_answers_are_private_by_default(
    request_as: Ask,
    library: Library,
    method: str,
    path: str,
    headers: dict[str, str],
    cache_control: str,
) -> None:
    response = request_as(method, path.replace("/1/", f"/{library.pk}/", 1), headers)
    assert response["Cache-Control"] == cache_control
    if "max-age=3600" in cache_control:
        assert response.has_header("Expires")
        # An answer without revalidation must not be reused for another user.
        assert {"Authorization", "Cookie"} <= set(response["Vary"].split(", "))
    elif response.status_code >= 400:
        assert not response.has_header("Expires")


@pytest.mark.parametrize("path", ["/1/books/", "/1/books/1/", "/page/", "/plain/"])
def test_each_coding_has_another_strong_tag(request_as: Ask, library: Library, path: str) -> None:
    path = _of(library, path)
    tags = {
        request_as("GET", path, {**ANN, "Accept-Encoding": coding})["ETag"]
        for coding in ("", "gzip", "br", "zstd")
    }
    assert len(tags) == 4
    assert all(tag.startswith('"') for tag in tags)


@pytest.mark.parametrize("path", ["/1/books/", "/1/books/1/", "/page/", "/plain/"])
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_head_has_the_fields_of_get(
    request_as: Ask, library: Library, path: str, coding: str
) -> None:
    path = _of(library, path)
    headers = {**ANN, "Accept-Encoding": coding}
    get, head = request_as("GET", path, headers), request_as("HEAD", path, headers)
    assert head.content == b""
    for name in ("ETag", "Content-Type", "Content-Length", "Content-Encoding", "Vary"):
        assert head.get(name) == get.get(name), name


def test_a_view_tag_without_a_coding_is_weakened(request_as: Ask) -> None:
    path = "/page/?ETag=%22theirs%22"
    assert request_as("GET", path)["ETag"] == '"theirs"'
    assert request_as("GET", path, {"Accept-Encoding": "gzip"})["ETag"] == 'W/"theirs"'


@pytest.mark.parametrize("status", [200, 304])
@pytest.mark.parametrize("size", [10, 2000])
def test_a_weakened_tag_is_the_same_on_a_304(request_as: Ask, status: int, size: int) -> None:
    path = f"/page/?ETag=%22theirs%22&status={status}&size={size}"
    assert request_as("GET", path, {"Accept-Encoding": "gzip"})["ETag"] == 'W/"theirs"'


def test_the_same_tag_means_the_same_bytes(request_as: Ask, library: Library) -> None:
    for coding in ("gzip", "br", "zstd"):
        headers = {**ANN, "Accept-Encoding": coding}
        one, two = (request_as("GET", f"/{library.pk}/books/", headers) for _ in range(2))
        assert (one["ETag"], one.content) == (two["ETag"], two.content)


# Changes of the request, and whether they change the tag.
VARIANTS = [
    ("?fields=id", {}, True),
    ("?fields=title", {}, True),
    ("?search=x", {}, True),
    ("?unknown=x", {}, False),
    ("", {"Authorization": "Name bob"}, True),
    ("", {"Accept": "application/json; indent=4"}, True),
    ("", {"Accept": "application/json"}, False),
    ("", {"User-Agent": "x"}, False),
    ("", {"X-Other": "y"}, False),
]


@pytest.mark.parametrize(("query", "headers", "other"), VARIANTS)
def test_the_tag_depends_on_the_variant(
    request_as: Ask, library: Library, query: str, headers: dict[str, str], other: bool
) -> None:
    path = f"/{library.pk}/books/"
    tag = request_as("GET", path, ANN)["ETag"]
    assert (request_as("GET", path + query, {**ANN, **headers})["ETag"] != tag) == other


@pytest.mark.parametrize("status", [204, 304])
def test_no_content_has_no_length(request_as: Ask, status: int) -> None:
    response = request_as("GET", f"/page/?size=0&status={status}")
    assert not response.has_header("Content-Length")
