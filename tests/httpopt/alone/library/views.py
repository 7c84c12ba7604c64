from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from httpopt.pagination import KnownParametersPagination
from httpopt.views import CachePolicy, IfMatchMixin, SparseFieldsMixin, VersionedViewMixin
from tests.httpopt.alone.library.models import Book
from tests.httpopt.alone.library.permissions import Named, NotTooMuch
from tests.httpopt.alone.library.serializers import BookSerializer, PlainBookSerializer

LONG = "All work and no play makes Jack a dull boy. " * 100


class _LibraryView(SparseFieldsMixin, VersionedViewMixin):
    permission_classes = [Named]
    throttle_classes = [NotTooMuch]
    collections = ("books", "authors", "subjects")
    query_parameters = ("fields", "cursor", "search")

    def get_version_tenant(self) -> int:
        return int(self.kwargs["library"])

    def get_rights(self) -> str:
        return "guest" if self.request.user.username == "guest" else "reader"

    def get_queryset(self) -> QuerySet[Book]:
        books = Book.objects.filter(library=self.kwargs["library"])
        return books.select_related("author").prefetch_related("subjects")


class Pages(KnownParametersPagination):
    ordering = "-id"
    page_size = 50


class Books(_LibraryView, generics.ListCreateAPIView[Book]):
    serializer_class = BookSerializer
    pagination_class = Pages


class PlainBooks(_LibraryView, generics.ListAPIView[Book]):
    serializer_class = PlainBookSerializer
    pagination_class = Pages


class OneBook(IfMatchMixin, _LibraryView, generics.RetrieveUpdateDestroyAPIView[Book]):
    serializer_class = BookSerializer

    def get_item_version(self) -> QuerySet[Any, Any] | None:
        books = Book.objects.filter(library=self.kwargs["library"], pk=self.kwargs["pk"])
        return books.values_list("version")


class ForAWhile(VersionedViewMixin):
    """Is public for an hour, but private for a user."""

    collections = ("books",)
    cache_policy = CachePolicy(max_age=3600, public=True)

    def get_version_tenant(self) -> int:
        return 1

    def get(self, request: Request) -> Response:
        return Response({"text": LONG})


class Streamed(VersionedViewMixin):
    collections = ("books",)

    def get_version_tenant(self) -> int:
        return 1

    def get(self, request: Request) -> StreamingHttpResponse:
        return StreamingHttpResponse(_lines(), content_type="text/csv")


class Broken(VersionedViewMixin):
    collections = ("books",)

    def get_version_tenant(self) -> int:
        return 1

    def get(self, request: Request) -> Response:
        return Response({"detail": "Broken."}, status=500)


class Plain(APIView):
    """A DRF view without versions."""

    def get(self, request: Request) -> Response:
        return Response({"text": LONG})

    def post(self, request: Request) -> Response:
        return Response({"text": LONG}, status=201)


def page(request: HttpRequest) -> HttpResponse:
    """Answer as the query says: ``size``, ``type``, ``status`` and some headers."""
    body = (LONG * 40)[: int(request.GET.get("size", "2000"))]
    response = HttpResponse(
        body,
        status=int(request.GET.get("status", "200")),
        content_type=request.GET.get("type", "text/html; charset=utf-8"),
    )
    for name in ("Cache-Control", "Content-Encoding", "Content-Range", "ETag", "Vary", "Expires"):
        if name in request.GET:
            response.headers[name] = request.GET[name]
    return response


def noise(request: HttpRequest) -> HttpResponse:
    """Answer with bytes that no coding makes smaller."""
    return HttpResponse(bytes(range(256)) * 5 if "small" in request.GET else _random_bytes())


def _random_bytes() -> bytes:
    import random

    return random.Random(1).randbytes(4000)


def lines(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_lines(), content_type=request.GET.get("type", "text/plain"))


async def async_lines(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_async_lines(), content_type=request.GET.get("type", "text/plain"))


def _lines() -> Iterator[str]:
    for number in range(5):
        yield f"line {number}\n"


async def _async_lines() -> AsyncIterator[str]:
    for line in _lines():
        await asyncio.sleep(0)
        yield line
