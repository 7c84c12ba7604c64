"""The log over HTTP: the same events as on the socket, for clients that poll.

The host calls :func:`answer` from an asynchronous view, after its own authentication, permission
and throttle::

    async def events(request, slug):
        credential = await authorise(request, slug)
        return await answer(request, f"church:{slug}", credential)

A view that runs in a thread calls :func:`answer_at_once` there. If it returns None, the host awaits
:func:`answer_later` without the thread.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from realtime import log_reader, stopping
from realtime.authorization import Access, check_access
from realtime.credentials import Credential
from realtime.event_loop import PerLoop
from realtime.feed import Frame
from realtime.hub import Hub
from realtime.log_reader import Head, Page, PrunedError
from realtime.protocol import stream_name
from realtime.threads import Batches, end_thread_of_request

MAX_WAIT_SECONDS = 25
MAX_LIMIT = 1000
DEFAULT_LIMIT = 200
_TAG = re.compile(r'"[^"]*"')
_SUFFIXES = re.compile(r'(?:(?:--?|[;:])(?:x-)?(?:gzip|gz|br|brotli|zstd|zst|deflate|df)){0,3}"')


class BadQueryError(ValueError):
    """A query with bad parameters; ``errors`` is ``{name: [sentence]}``."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(said)}" for name, said in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a poll: ``after`` is the last event that the client has; None asks for the head alone."""

    after: int | None
    epoch: str | None
    limit: int
    wait: float

    @classmethod
    def parse(cls, given: QueryDict) -> Query:
        """Return the query. Raise :class:`BadQueryError` that names each bad parameter."""
        errors: dict[str, list[str]] = {}
        after = _number(given, "after", 0, 2**63 - 1, errors)
        limit = _number(given, "limit", 1, MAX_LIMIT, errors)
        wait = _number(given, "wait", 0, MAX_WAIT_SECONDS, errors)
        if errors:
            raise BadQueryError(errors)
        return cls(after, given.get("epoch") or None, limit or DEFAULT_LIMIT, wait or 0)


class RightLostError(Exception):
    """The access ended while the request was held; with ``ended``, the credential ended."""

    def __init__(self, *, ended: bool) -> None:
        super().__init__("ended" if ended else "lost")
        self.ended = ended


def answer_at_once(request: HttpRequest, key: str) -> HttpResponse | None:
    """Return the events of a stream, or None if the request asks to wait for the first one.

    Synchronous: it queries the database. Raise :class:`BadQueryError`.
    """
    query = Query.parse(request.GET)
    [(head, page)] = _read_all([(key, query)])
    return None if _must_wait(query, page) else _respond(request, head, page)


async def answer_later(request: HttpRequest, key: str, credential: Credential) -> HttpResponse:
    """Return the events of a stream when the first one arrives, or an empty page after ``wait`` seconds.

    Hold neither a thread nor a database connection. Raise :class:`RightLostError` as soon as a
    socket with the same credential would be closed.
    """
    head, page = await _wait(key, Query.parse(request.GET), credential)
    _require(await _batches.current().accesses.ask((credential, [key])))
    return _respond(request, head, page)


async def answer(request: HttpRequest, key: str, credential: Credential) -> HttpResponse:
    """Answer at once or later, for an asynchronous view.

    Raise :class:`BadQueryError`, and :class:`RightLostError`.
    """
    query = Query.parse(request.GET)
    head, page = await _batches.current().pages.ask((key, query))
    if not _must_wait(query, page):
        return _respond(request, head, page)
    await end_thread_of_request()
    return await answer_later(request, key, credential)


def _must_wait(query: Query, page: Page | None) -> bool:
    asks_to_wait = bool(query.wait) and query.after is not None and not stopping.is_draining()
    return asks_to_wait and page is not None and page.last < page.first


_Position = tuple[str, Query]
_Found = tuple[Head, Page | None]
"""The head and the page after ``after``. Without a page the client must reset."""


def _read_all(positions: list[_Position]) -> list[_Found]:
    """Return the events after each position; read equal positions once."""
    found: dict[_Position, _Found] = {}
    heads = log_reader.read_heads(sorted({key for key, _ in positions}))
    for position in positions:
        if position not in found:
            key, query = position
            head = heads.get(key) or log_reader.read_head(key)
            found[position] = head, _page_after(head, query)
    return [found[position] for position in positions]


def _page_after(head: Head, query: Query) -> Page | None:
    if query.after is None:
        return Page(head.last + 1, head.last, "")
    if not head.can_resume(query.after, query.epoch):
        return None
    try:
        return log_reader.read_page(head, query.after, query.limit, None)
    except PrunedError:
        return None


class _RequestBatches:
    """The two questions that all held requests of one event loop ask, in batches."""

    def __init__(self) -> None:
        self.pages: Batches[_Position, _Found] = Batches(_read_all)
        self.accesses: Batches[tuple[Credential, list[str]], Access] = Batches(check_access)


_batches = PerLoop(_RequestBatches)


class _HeldRequest:
    """Listens to a feed until something arrives. The hub checks its access like a socket's."""

    def __init__(self, key: str, credential: Credential) -> None:
        self.key = key
        self.credential = credential
        self._access = Access()
        self._changed = asyncio.Event()

    def push(self, frame: Frame) -> None:
        self._changed.set()

    def reread(self) -> None:
        self._changed.set()

    def keys(self) -> list[str]:
        return [self.key]

    async def apply_access(self, access: Access) -> None:
        self._access = access
        self._changed.set()

    async def wait_for_change(self) -> None:
        """Wait until something arrives. Raise :class:`RightLostError`."""
        await self._changed.wait()
        self._changed.clear()
        _require(self._access)


async def _wait(key: str, query: Query, credential: Credential) -> _Found:
    held = _HeldRequest(key, credential)
    hub = Hub.current()
    hub.subscribe(key, held)
    hub.add_held_request(held)
    try:
        with stopping.waking(held.reread):
            return await _wait_for_events(held, query)
    except TimeoutError:
        return await _batches.current().pages.ask((key, query))
    finally:
        hub.remove_held_request(held)
        hub.unsubscribe(key, held)


async def _wait_for_events(held: _HeldRequest, query: Query) -> _Found:
    async with asyncio.timeout(query.wait):
        while True:
            # Read after subscribing, so that no commit in between is lost.
            head, page = await _batches.current().pages.ask((held.key, query))
            if page is None or page.last >= page.first or stopping.is_draining():
                return head, page
            await held.wait_for_change()


def _require(access: Access) -> None:
    if not access.ok:
        raise RightLostError(ended=access.expired)


def _respond(request: HttpRequest, head: Head, page: Page | None) -> HttpResponse:
    first, last, events = (
        (page.first, page.last, page.events) if page else (head.last + 1, head.last, "")
    )
    reset = "true" if page is None else "false"
    body = (
        f'{{"stream":"{stream_name(head.key)}","epoch":"{head.epoch}","from":{first},"to":{last},'
        f'"reset":{reset},"events":[{events}]}}'
    )
    opaque = f"{head.epoch}-{first}-{last}-{reset[0]}"
    etag = quote_etag(opaque)
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    if _names_tag(request, opaque):
        # Django compares tags exactly; a proxy may have added a suffix to ours.
        request.META["HTTP_IF_NONE_MATCH"] = etag
    conditional = get_conditional_response(request, etag=etag, response=response)
    if not isinstance(conditional, HttpResponse):
        raise TypeError("A conditional response is a response.")
    return conditional


def _names_tag(request: HttpRequest, opaque: str) -> bool:
    """Return whether If-None-Match names the tag, also with a proxy's suffix: ``"…-gzip"``."""
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
    errors[name] = [f"This must be a whole number from {least} to {most}."]
    return None
