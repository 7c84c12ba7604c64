"""The log over HTTP: the same frames, for clients that poll (contract section 6).

The host wraps :func:`answer` in an asynchronous view of its own, after its own authentication,
permission and throttle::

    async def events(request, slug):
        credential = await authorise(request, slug)
        return await answer(request, f"church:{slug}", credential)

A host whose view runs in a thread asks :func:`answer_at_once` there first, and awaits :func:`answer_later`
without the thread where that has nothing yet.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from realtime import pages
from realtime.batches import Batches
from realtime.credentials import Credential
from realtime.feed import Frame
from realtime.hub import Hub
from realtime.names import name_of
from realtime.pages import ForgottenError, Head, Page
from realtime.sweep import Verdict, judge
from realtime.threads import end_thread_of_request

MAX_WAIT_SECONDS = 25
MAX_LIMIT = 1000
DEFAULT_LIMIT = 200
_TAG = re.compile(r'"[^"]*"')
_SUFFIXES = re.compile(r'(?:(?:--?|[;:])(?:x-)?(?:gzip|gz|br|brotli|zstd|zst|deflate|df)){0,3}"')


class BadQueryError(ValueError):
    """A query parameter that cannot be understood; ``errors`` is ``{name: [sentence]}``."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(said)}" for name, said in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: events after ``after`` (None: only where the head is)."""

    after: int | None
    epoch: str | None
    limit: int
    wait: float

    @classmethod
    def parse(cls, given: QueryDict) -> Query:
        """Raises :class:`BadQueryError` naming each bad parameter."""
        errors: dict[str, list[str]] = {}
        after = _number(given, "after", 0, 2**63 - 1, errors)
        limit = _number(given, "limit", 1, MAX_LIMIT, errors)
        wait = _number(given, "wait", 0, MAX_WAIT_SECONDS, errors)
        if errors:
            raise BadQueryError(errors)
        return cls(after, given.get("epoch") or None, limit or DEFAULT_LIMIT, wait or 0)


class RightLostError(Exception):
    """The right to the stream went while the request was held; ``ended``: the credential did."""

    def __init__(self, *, ended: bool) -> None:
        super().__init__("ended" if ended else "lost")
        self.ended = ended


def answer_at_once(request: HttpRequest, key: str) -> HttpResponse | None:
    """Return the events of a stream; None where the request asks to wait and there are none yet.

    Synchronous: it asks the database. Raises :class:`BadQueryError`.
    """
    query = Query.parse(request.GET)
    [(head, page)] = _read_all([(key, query)])
    return None if _must_wait(query, page) else _respond(request, head, page)


async def answer_later(request: HttpRequest, key: str, credential: Credential) -> HttpResponse:
    """Return the events of a stream as soon as there are any, or none after ``wait`` seconds.

    Holds neither a thread nor a database connection. Raises :class:`RightLostError` as soon after the
    loss as a socket would be closed.
    """
    head, page = await _wait(key, Query.parse(request.GET), credential)
    _require(await _Shared.here().verdicts.ask((credential, [key])))
    return _respond(request, head, page)


async def answer(request: HttpRequest, key: str, credential: Credential) -> HttpResponse:
    """Answer at once or later, for an asynchronous view.

    Raises :class:`BadQueryError`, and :class:`RightLostError`.
    """
    query = Query.parse(request.GET)
    head, page = await _Shared.here().pages.ask((key, query))
    if not _must_wait(query, page):
        return _respond(request, head, page)
    await end_thread_of_request()
    return await answer_later(request, key, credential)


def _must_wait(query: Query, page: Page | None) -> bool:
    asks_to = bool(query.wait) and query.after is not None
    return asks_to and page is not None and page.last < page.first


_Position = tuple[str, Query]
_Found = tuple[Head, Page | None]
"""The head, and the page that follows ``after``; no page means ``reset``."""


def _read_all(positions: list[_Position]) -> list[_Found]:
    """Return the events after each position; equal positions are read once."""
    found: dict[_Position, _Found] = {}
    heads = pages.heads(sorted({key for key, _ in positions}))
    for position in positions:
        if position not in found:
            key, query = position
            head = heads.get(key) or pages.head(key)
            found[position] = head, _page_after(head, query)
    return [found[position] for position in positions]


def _page_after(head: Head, query: Query) -> Page | None:
    if query.after is None:
        return Page(head.last + 1, head.last, "")
    if not head.holds(query.after, query.epoch):
        return None
    try:
        return pages.page(head, query.after, query.limit, None)
    except ForgottenError:
        return None


class _Shared:
    """The two questions that all held requests of one event loop ask, each in batches."""

    def __init__(self) -> None:
        self.pages: Batches[_Position, _Found] = Batches(_read_all)
        self.verdicts: Batches[tuple[Credential, list[str]], Verdict] = Batches(judge)

    @classmethod
    def here(cls) -> _Shared:
        return _shared.setdefault(asyncio.get_running_loop(), cls())


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, _Shared] = WeakKeyDictionary()


class _HeldRequest:
    """Listens to a feed until anything comes; the hub judges its right along with the sockets'."""

    def __init__(self, key: str, credential: Credential) -> None:
        self.key = key
        self.credential = credential
        self._verdict = Verdict()
        self._event = asyncio.Event()

    def push(self, frame: Frame) -> None:
        self._event.set()

    def behind(self) -> None:
        self._event.set()

    def keys(self) -> list[str]:
        return [self.key]

    async def obey(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._event.set()

    async def news(self) -> None:
        """Wait until anything comes. Raises :class:`RightLostError`."""
        await self._event.wait()
        self._event.clear()
        _require(self._verdict)


async def _wait(key: str, query: Query, credential: Credential) -> _Found:
    held = _HeldRequest(key, credential)
    hub = Hub.here()
    hub.join(key, held)
    hub.watch(held)
    try:
        async with asyncio.timeout(query.wait):
            while True:
                # Looked at after joining: what was committed in between is not missed.
                head, page = await _Shared.here().pages.ask((key, query))
                if page is None or page.last >= page.first:
                    return head, page
                await held.news()
    except TimeoutError:
        return await _Shared.here().pages.ask((key, query))
    finally:
        hub.unwatch(held)
        hub.part(key, held)


def _require(verdict: Verdict) -> None:
    if not verdict.harmless:
        raise RightLostError(ended=verdict.ended)


def _respond(request: HttpRequest, head: Head, page: Page | None) -> HttpResponse:
    first, last, events = (
        (page.first, page.last, page.events) if page else (head.last + 1, head.last, "")
    )
    reset = "true" if page is None else "false"
    body = (
        f'{{"stream":"{name_of(head.key)}","epoch":"{head.epoch}","from":{first},"to":{last},'
        f'"reset":{reset},"events":[{events}]}}'
    )
    opaque = f"{head.epoch}-{first}-{last}-{reset[0]}"
    etag = quote_etag(opaque)
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    if _has(request, opaque):
        # Django's own compares as well, but not what a proxy has made of the tag.
        request.META["HTTP_IF_NONE_MATCH"] = etag
    conditional = get_conditional_response(request, etag=etag, response=response)
    if not isinstance(conditional, HttpResponse):
        raise TypeError("A conditional response is a response.")
    return conditional


def _has(request: HttpRequest, opaque: str) -> bool:
    """Return whether If-None-Match names the tag, also as a proxy that compresses returns it: ``"…-gzip"``."""
    return any(
        tag.startswith(f'"{opaque}') and _SUFFIXES.fullmatch(tag[len(opaque) + 1 :])
        for tag in _TAG.findall(request.META.get("HTTP_IF_NONE_MATCH", ""))
    )


def _number(
    given: QueryDict, name: str, least: int, most: int, errors: dict[str, list[str]]
) -> int | None:
    raw = given.get(name)
    if raw is None or raw == "":
        return None
    if raw.isascii() and raw.isdigit() and len(raw) <= 19 and least <= int(raw) <= most:
        return int(raw)
    errors[name] = [f"This is a whole number from {least} to {most}."]
    return None
