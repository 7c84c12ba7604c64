from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import brotli
import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.http import parse_http_date
from pytest_django import Settings

from koinonia.http.scopes import Application
from koinonia.http.static_files import with_static_files

SECONDS = 20
SCRIPT = "console.0123456789ab.js"
CONTENT = b"export const greeting = 'grace and peace';\n" * 40


async def behind(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"behind"})


@pytest.fixture
def application(tmp_path: Path, settings: Settings) -> Application:
    settings.STATIC_ROOT = tmp_path
    (tmp_path / SCRIPT).write_bytes(CONTENT)
    (tmp_path / f"{SCRIPT}.gz").write_bytes(gzip.compress(CONTENT))
    (tmp_path / "plain.txt").write_text("plain")
    return with_static_files(behind)


async def get(
    application: Application, path: str, method: str = "GET", **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asked: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]  # untyped
    await asked.send_input({"type": "http.request"})
    start = await asked.receive_output(SECONDS)
    body = b""
    while (part := await asked.receive_output(SECONDS))["body"] or part.get("more_body"):
        body += part["body"]
        if not part.get("more_body"):
            break
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], found, body


async def test_other_paths_are_left_to_django(application: Application) -> None:
    assert (await get(application, "/"))[0] == 418


async def test_a_hashed_file_of_the_next_release_is_served_once_it_is_collected(
    application: Application, tmp_path: Path
) -> None:
    next_script = SCRIPT.replace("0123", "4567")
    assert (await get(application, f"/static/{next_script}"))[0] == 404
    (tmp_path / next_script).write_bytes(b"export const greeting = 'peace';")
    status, headers, body = await get(application, f"/static/{next_script}")
    assert (status, body) == (200, b"export const greeting = 'peace';")
    assert "immutable" in headers["cache-control"]
    # The files of the release before stay.
    assert (await get(application, f"/static/{SCRIPT}"))[0] == 200


async def test_no_file_outside_the_collected_ones_is_served(
    application: Application, tmp_path: Path
) -> None:
    (tmp_path.parent / SCRIPT).write_text("private")
    assert (await get(application, f"/static/../{SCRIPT}"))[0] == 404
    (tmp_path / "later.txt").write_text("later")
    assert (await get(application, "/static/later.txt"))[0] == 404


async def test_a_web_process_without_collected_files_says_so(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STATIC_ROOT, settings.DEBUG = tmp_path / "none", False
    with_static_files(behind)
    assert "Run `manage.py collectstatic --noinput`" in caplog.text


async def test_a_hashed_file_is_immutable_for_browsers(application: Application) -> None:
    status, headers, body = await get(application, f"/static/{SCRIPT}")
    assert (status, body) == (200, CONTENT)
    assert headers["cache-control"] == "max-age=315360000, public, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"] == 'text/javascript; charset="utf-8"'


async def test_a_file_without_a_hash_is_revalidated(application: Application) -> None:
    _, headers, _ = await get(application, "/static/plain.txt")
    assert headers["cache-control"] == "max-age=60, public"


async def test_a_compressed_copy_is_sent_to_clients_that_accept_it(
    application: Application,
) -> None:
    _, headers, body = await get(application, f"/static/{SCRIPT}", accept_encoding="gzip")
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(body) == CONTENT


async def test_an_unchanged_file_is_304(application: Application) -> None:
    _, headers, _ = await get(application, f"/static/{SCRIPT}")
    again = await get(application, f"/static/{SCRIPT}", if_none_match=headers["etag"])
    assert (again[0], again[2]) == (304, b"")


@pytest.mark.parametrize("path", ["/static/none.js", "/static/../secret_key", "/static/"])
async def test_a_missing_file_is_a_404(application: Application, path: str) -> None:
    status, _, body = await get(application, path)
    assert (status, body) == (404, b"There is no such file.\n")


async def test_every_answer_has_a_date(application: Application) -> None:
    _, found, _ = await get(application, f"/static/{SCRIPT}")
    _, kept, _ = await get(application, f"/static/{SCRIPT}", if_none_match=found["etag"])
    _, missing, _ = await get(application, "/static/none.txt")
    for headers in (found, kept, missing):
        assert parse_http_date(headers["date"]) > 0


async def test_a_static_file_refuses_other_methods(application: Application) -> None:
    assert (await get(application, f"/static/{SCRIPT}", method="POST"))[0] == 405


def test_pages_have_plain_names_until_the_files_are_collected() -> None:
    assert staticfiles_storage.url("koinonia/console.js") == "/static/koinonia/console.js"


@pytest.fixture
def coded(application: Application, tmp_path: Path, settings: Settings) -> Application:
    """Add the compressed copies of a file and return the application."""
    (tmp_path / f"{SCRIPT}.br").write_bytes(brotli.compress(CONTENT))
    return with_static_files(behind)


DECODE = {"identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress}


async def tag_of(application: Application, coding: str) -> str:
    _, headers, body = await get(application, f"/static/{SCRIPT}", accept_encoding=coding)
    assert headers.get("content-encoding", "identity") == coding
    assert DECODE[coding](body) == CONTENT
    assert not headers["etag"].startswith("W/")
    return headers["etag"]


async def test_each_coding_has_a_tag_of_its_own(coded: Application) -> None:
    assert len({await tag_of(coded, coding) for coding in DECODE}) == 3


@pytest.mark.parametrize("coding", DECODE)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_only_a_copy_in_the_same_coding_is_304(
    coded: Application, coding: str, method: str
) -> None:
    path = f"/static/{SCRIPT}"
    for had in DECODE:
        tag = await tag_of(coded, had)
        for value in (tag, f"W/{tag}", f'"other", {tag}'):
            status, headers, body = await get(
                coded, path, method, accept_encoding=coding, if_none_match=value
            )
            assert status == (304 if had == coding else 200)
            assert headers["etag"] == await tag_of(coded, coding)
            assert headers["vary"] == "Accept-Encoding"
            assert status == 200 or (body, headers.get("content-length")) == (b"", None)
    anything = await get(coded, path, method, accept_encoding=coding, if_none_match="*")
    assert anything[0] == 304


@pytest.mark.parametrize("coding", DECODE)
async def test_a_range_selects_bytes_of_its_coding(coded: Application, coding: str) -> None:
    path = f"/static/{SCRIPT}"
    whole = (await get(coded, path, accept_encoding=coding))[2]
    status, headers, body = await get(coded, path, accept_encoding=coding, range="bytes=3-12")
    assert (status, body) == (206, whole[3:13])
    assert headers["content-range"] == f"bytes 3-12/{len(whole)}"
    assert headers["etag"] == await tag_of(coded, coding)


@pytest.mark.parametrize("coding", DECODE)
async def test_a_download_resumes_only_in_the_same_coding(coded: Application, coding: str) -> None:
    for had in DECODE:
        tag = await tag_of(coded, had)
        for value, same in ((tag, had == coding), (f"W/{tag}", False), ('"other"', False)):
            answer = await get(
                coded, f"/static/{SCRIPT}", accept_encoding=coding, range="bytes=3-", if_range=value
            )
            assert answer[0] == (206 if same else 200)


async def test_head_ignores_a_range(coded: Application) -> None:
    status, headers, _ = await get(coded, f"/static/{SCRIPT}", "HEAD", range="bytes=0-1")
    assert (status, headers["content-length"]) == (200, str(len(CONTENT)))


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip;q=0, br", "br"),
        ("br;q=0, gzip;q=0", "identity"),
        ("br;q=0.1, gzip", "gzip"),
        ("identity, *;q=0", "identity"),
        ("unbr, notgzip", "identity"),
        ("*", "br"),
        ("", "identity"),
        ("gzip, br", "br"),
    ],
)
async def test_the_client_chooses_the_coding(
    coded: Application, accepted: str, coding: str
) -> None:
    _, headers, _ = await get(coded, f"/static/{SCRIPT}", accept_encoding=accepted)
    assert headers.get("content-encoding", "identity") == coding


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-0", 206, slice(0, 1)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=10-99999999", 206, slice(10, None)),
        ("bytes=-99999999", 206, slice(0, None)),
        ("bytes=99999999-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-2", 200, slice(0, None)),
        ("bytes=0-1,3-4", 200, slice(0, None)),
        ("items=0-1", 200, slice(0, None)),
        ("bytes", 200, slice(0, None)),
    ],
)
async def test_a_range_is_exact(
    coded: Application, asked: str, status: int, part: slice | None
) -> None:
    answer = await get(coded, f"/static/{SCRIPT}", range=asked)
    assert answer[0] == status
    if part:
        assert answer[2] == CONTENT[part]
    else:
        assert answer[1]["content-range"] == f"bytes */{len(CONTENT)}"
