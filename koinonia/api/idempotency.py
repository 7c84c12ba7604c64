"""``Idempotency-Key``: a repeated request gets the first answer, and acts once.

Key and effect share one transaction, and the table's unique key is the lock. On PostgreSQL the
second of two equal requests waits at its INSERT until the first commits or rolls back; on SQLite it
waits at BEGIN.

An answer may depend on work after the commit, such as a text that is sent inside the request: see
:class:`PendingResponse`.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final, cast

from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connection
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.changes import message_changes
from koinonia.api.errors import ConflictError, UnprocessableError
from koinonia.models import IdempotentRequest

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_FOR = timedelta(hours=24)
WAIT_SECONDS: float = 5
_KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")
_LOCK_NOT_AVAILABLE = "55P03"
_PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": f"^{_KEY.pattern}$"},
    OpenApiParameter.HEADER,
    description="A repeated request gets the first answer, and sends nothing twice.",
)

_PENDING: Final = 0
"""The status of a record without an answer."""

Handler = Callable[..., Response]
Outcome = Callable[[Any], Response]
"""The data of a :class:`PendingResponse` -> the answer in the present state."""


class PendingResponse(Response):
    """An answer that the view's ``outcome`` completes after the commit.

    If the process crashes in between, a replay calls ``outcome`` too.
    """


class _TakenError(Exception):
    """The key belongs to a request that still runs, or that has just committed."""


def idempotent(handler: Handler) -> Handler:
    """Make a POST honour ``Idempotency-Key``, and document the header. Errors are not kept.

    A view that answers with a :class:`PendingResponse` has a method ``outcome``.
    """

    @wraps(handler)
    def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        outcome = getattr(view, "outcome", Response)
        if key is None:
            return _complete(handler(view, request, *args, **kwargs), outcome)
        record = _record(request, key)
        return once(record, lambda: handler(view, request, *args, **kwargs), outcome)

    documented: Handler = extend_schema(parameters=[_PARAMETER])(answer)
    return documented


def _record(request: Request, key: str) -> IdempotentRequest:
    if not _KEY.fullmatch(key):
        raise ValidationError({HEADER: ["1 to 255 of A-Z, a-z, 0-9, _, : and - are needed."]})
    return IdempotentRequest(
        user=cast(User, request.user),
        key=key,
        method=request.method or "",
        path=request.path,
        body_digest=hashlib.sha256(request.body).hexdigest(),
        created_at=timezone.now(),
    )


def _complete(response: Response, outcome: Outcome) -> Response:
    return outcome(response.data) if isinstance(response, PendingResponse) else response


def once(
    record: IdempotentRequest, act: Callable[[], Response], outcome: Outcome = Response
) -> Response:
    """Return the answer of ``act``, or the kept answer of an earlier request with this record.

    Key and effect share one transaction. A replay has the header ``Idempotent-Replayed``.
    """
    if known := _known(record):
        return _replay(known, record, outcome)
    try:
        committed = _act_and_keep(record, act)
    except _TakenError:
        if known := _known(record):
            return _replay(known, record, outcome)
        raise ConflictError("A request with this Idempotency-Key is still in progress.") from None
    response = _complete(committed, outcome)
    if response is not committed:
        _keep(record, response)
    return response


def _act_and_keep(record: IdempotentRequest, act: Callable[[], Response]) -> Response:
    """Store key and effect in one transaction. Its ``on_commit`` hooks run before this returns."""
    with ExitStack() as transaction:
        with _bounded_wait_at_begin():
            transaction.enter_context(message_changes(record.created_at))
        _take(record)
        response = act()
        _keep(record, response)
    return response


def _known(record: IdempotentRequest) -> IdempotentRequest | None:
    return _same(record).filter(created_at__gt=_oldest(record.created_at)).first()


def _same(record: IdempotentRequest) -> QuerySet[IdempotentRequest]:
    return IdempotentRequest.objects.filter(
        user_id=record.user_id, key=record.key, method=record.method, path=record.path
    )


def _oldest(now: datetime) -> datetime:
    return now - KEPT_FOR


def _take(record: IdempotentRequest) -> None:
    """Insert the key. Raise _TakenError if another request holds it."""
    try:
        with _bounded_wait_for_the_row():
            _same(record).filter(created_at__lte=_oldest(record.created_at)).delete()
            record.save(force_insert=True)
    except IntegrityError:
        raise _TakenError from None
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _LOCK_NOT_AVAILABLE:
            raise _TakenError from None
        raise


@contextmanager
def _bounded_wait_for_the_row() -> Iterator[None]:
    """Limit the wait for the row of another request (PostgreSQL)."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {_milliseconds(WAIT_SECONDS)}")
        yield
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


@contextmanager
def _bounded_wait_at_begin() -> Iterator[None]:
    """Limit the wait for any other writer (SQLite), with the same key or another one."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = connection.settings_dict["OPTIONS"].get("timeout", 5)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {_milliseconds(WAIT_SECONDS)}")
        try:
            yield
        except OperationalError as error:
            if getattr(error.__cause__, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                raise _TakenError from None
            raise
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {_milliseconds(usual)}")


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _keep(record: IdempotentRequest, response: Response) -> None:
    record.status = _PENDING if isinstance(response, PendingResponse) else response.status_code
    record.location = response.headers.get("Location", "")
    record.answer = JSONRenderer().render(response.data).decode()
    record.save(update_fields=["status", "location", "answer"])


def _replay(known: IdempotentRequest, record: IdempotentRequest, outcome: Outcome) -> Response:
    if known.body_digest != record.body_digest:
        raise UnprocessableError("This Idempotency-Key was used with another body.")
    data = json.loads(known.answer)
    response = outcome(data) if known.status == _PENDING else Response(data, known.status)
    if known.location:
        response.headers["Location"] = known.location
    response.headers[REPLAYED] = "true"
    return response
