"""``Idempotency-Key``: the same request again gives the first answer, and acts once.

Key and effect are one transaction, and the table's unique key is the lock: PostgreSQL lets the
second of two wait at its INSERT until the first has committed or is gone; SQLite at BEGIN.

What happens after the commit, a text that is sent inside the request, is in the answer too: see
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

_PENDING: Final = 0
"""The status of a record whose answer is still to come."""

Handler = Callable[..., Response]
Outcome = Callable[[Any], Response]
"""The data of a :class:`PendingResponse` -> the answer as things are now."""


class PendingResponse(Response):
    """An answer that is complete only after the commit: the view's ``outcome`` makes it anew.

    A crash in between leaves what was committed; a replay then asks ``outcome`` too.
    """


class _TakenError(Exception):
    """Someone else has this key."""


def idempotent(handler: Handler) -> Handler:
    """A POST that honours ``Idempotency-Key``. Only what returns (2xx) is kept: errors are raised.

    Its view has ``outcome``, where it answers with a :class:`PendingResponse`.
    """

    @wraps(handler)
    def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        outcome = getattr(view, "outcome", Response)
        if key is None:
            return _complete(handler(view, request, *args, **kwargs), outcome)
        scope = _scope(request, key)
        return _once(scope, lambda: handler(view, request, *args, **kwargs), outcome)

    return answer


def _scope(request: Request, key: str) -> IdempotentRequest:
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


def _once(record: IdempotentRequest, act: Callable[[], Response], outcome: Outcome) -> Response:
    if known := _known(record):
        return _replay(known, record, outcome)
    try:
        committed = _act_and_keep(record, act)
    except _TakenError:
        if known := _known(record):
            return _replay(known, record, outcome)
        raise ConflictError("A request with this Idempotency-Key is being worked on.") from None
    response = _complete(committed, outcome)
    if response is not committed:
        _keep(record, response)
    return response


def _act_and_keep(record: IdempotentRequest, act: Callable[[], Response]) -> Response:
    """Key and effect in one transaction; what was to be done on its commit is done, too."""
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
    try:
        with _bounded_wait_for_the_row():
            _same(record).filter(created_at__lte=_oldest(record.created_at)).delete()
            record.save(force_insert=True)
    except IntegrityError:
        raise _TakenError from None
    except OperationalError as error:
        # 55P03 lock_not_available: the other one still works.
        if getattr(error.__cause__, "sqlstate", "") == "55P03":
            raise _TakenError from None
        raise


@contextmanager
def _bounded_wait_for_the_row() -> Iterator[None]:
    """PostgreSQL: at most so long for the other's row."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {_milliseconds(WAIT_SECONDS)}")
        yield
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


@contextmanager
def _bounded_wait_at_begin() -> Iterator[None]:
    """SQLite: at most so long for whoever writes. With the same key or not, nobody can tell."""
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
