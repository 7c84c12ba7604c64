from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast

import time_machine
from django.http import HttpRequest, HttpResponse
from django.test import Client

from koinonia.http.middleware import DateMiddleware

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


async def asynchronous(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def dated(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"Date": "Mon, 23 Nov 2026 12:00:00 GMT"})


@time_machine.travel(NOON, tick=False)
def test_a_synchronous_answer_has_a_date() -> None:
    answer = cast(HttpResponse, DateMiddleware(plain)(HttpRequest()))
    assert answer["Date"] == "Tue, 24 Nov 2026 12:00:00 GMT"


@time_machine.travel(NOON, tick=False)
def test_an_asynchronous_answer_has_a_date() -> None:
    coming = DateMiddleware(asynchronous)(HttpRequest())
    answer = asyncio.run(_of(cast(Awaitable[HttpResponse], coming)))
    assert parsedate_to_datetime(answer["Date"]) == NOON


def test_an_existing_date_stays() -> None:
    answer = cast(HttpResponse, DateMiddleware(dated)(HttpRequest()))
    assert answer["Date"] == "Mon, 23 Nov 2026 12:00:00 GMT"


def test_errors_and_304_have_a_date(db: None) -> None:
    client = Client()
    for path in ("/api/v1/me/", "/healthz", "/nowhere", "/login/"):
        assert client.get(path)["Date"].endswith("GMT"), path


async def _of(coming: Awaitable[HttpResponse]) -> HttpResponse:
    return await coming
