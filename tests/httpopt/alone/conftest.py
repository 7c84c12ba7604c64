from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client

from tests.httpopt.alone.library.models import Author, Book, Library, Subject

Get = Callable[..., HttpResponseBase]


@pytest.fixture(params=["wsgi", "asgi"])
def request_as(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return ``request_as("GET", path, headers)``, which sends through the sync or async stack."""
    if request.param == "wsgi":
        client = Client(raise_request_exception=False)
        return lambda method, path, headers=(), **extra: client.generic(
            method, path, headers=dict(headers), **extra
        )
    async_client = AsyncClient(raise_request_exception=False)

    async def ask(method: str, path: str, headers: Any = (), **extra: Any) -> Any:
        return await async_client.generic(method, path, headers=dict(headers), **extra)

    return async_to_sync(ask)


@pytest.fixture
def library(db: None) -> Library:
    library = Library.objects.create(name="Central")
    author = Author.objects.create(
        library=library, first_name="Ann", last_name="Lee", notes="n" * 50
    )
    subject = Subject.objects.create(library=library, name="Sea", notes="s" * 50)
    for number in range(5):
        book = Book.objects.create(
            library=library, title=f"Book {number}", text="words " * 80, author=author
        )
        book.subjects.add(subject)
    Book.objects.create(library=library, title="Anonymous")
    return library
