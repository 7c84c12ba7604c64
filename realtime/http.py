"""The log over HTTP: the same frames, for clients that poll (contract section 6).

The host wraps :func:`answer` in an asynchronous view of its own, after its own authentication,
permission and throttle::

    async def events(request, slug):
        credential = await authorise(request, slug)
        return await answer(request, f"church:{slug}", credential)
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from realtime import conf, pages
from realtime.credentials import Credential
from realtime.feed import Frame
from realtime.hub import Hub
from realtime.names import name_of
from realtime.pages import ForgottenError, Head, Page
from realtime.sweep import judge
from realtime.threads import in_thread

MAX_WAIT_SECONDS = 25
MAX_LIMIT = 1000
DEFAULT_LIMIT = 200


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


async def answer(request: HttpRequest, key: str, credential: Credential) -> HttpResponse:
    """The events of a stream. Holds the request up to ``wait`` seconds, and no thread.

    Raises :class:`BadQueryError`, and :class:`RightLostError` as soon after the loss as a socket
    would be closed.
    """
    query = Query.parse(request.GET)
    head, page = await _read(key, query)
    if query.wait and query.after is not None and page is not None and page.last < page.first:
        head, page = await _wait(key, query, credential)
        await _judge(credential, key)
    return _respond(request, head, page)


async def _read(key: str, query: Query) -> tuple[Head, Page | None]:
    """The head, and the page that follows ``after``; no page means ``reset``."""
    head = await in_thread(pages.head, key)
    if query.after is None:
        return head, Page(head.last + 1, head.last, "")
    if not head.holds(query.after, query.epoch):
        return head, None
    try:
        return head, await in_thread(pages.page, head, query.after, query.limit, None)
    except ForgottenError:
        return head, None


class _News:
    """Listens to a feed until anything comes."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def push(self, frame: Frame) -> None:
        self._event.set()

    def behind(self) -> None:
        self._event.set()

    async def come_within(self, seconds: float) -> bool:
        """Whether anything came in time."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        self._event.clear()
        return True


async def _wait(key: str, query: Query, credential: Credential) -> tuple[Head, Page | None]:
    news = _News()
    hub = Hub.here()
    hub.join(key, news)
    try:
        async with asyncio.timeout(query.wait):
            while True:
                # Looked at after joining: what was committed in between is not missed.
                head, page = await _read(key, query)
                if page is None or page.last >= page.first:
                    return head, page
                while not await news.come_within(conf.sweep_seconds()):
                    await _judge(credential, key)
    except TimeoutError:
        return await _read(key, query)
    finally:
        hub.part(key, news)


async def _judge(credential: Credential, key: str) -> None:
    [verdict] = await in_thread(judge, [(credential, [key])])
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
    etag = quote_etag(f"{head.epoch}-{first}-{last}-{reset[0]}")
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    conditional = get_conditional_response(request, etag=etag, response=response)
    if not isinstance(conditional, HttpResponse):
        raise TypeError("A conditional response is a response.")
    return conditional


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
