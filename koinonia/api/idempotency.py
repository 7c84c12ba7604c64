"""``Idempotency-Key``: the same request again gives the first answer, and acts once.

Key and effect are one transaction, and the table's unique key is the lock: PostgreSQL lets the
second of two wait at its INSERT until the first has committed or is gone; SQLite at BEGIN.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, cast

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
WAIT_SECONDS = 5
_KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")

Handler = Callable[..., Response]


class _TakenError(Exception):
    """Someone else has this key."""


def idempotent(handler: Handler) -> Handler:
    """A POST that honours ``Idempotency-Key``. Only what returns (2xx) is kept: errors are raised."""

    @wraps(handler)
    def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        scope = _scope(request, key)
        return _once(scope, lambda: handler(view, request, *args, **kwargs))

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


def _once(record: IdempotentRequest, act: Callable[[], Response]) -> Response:
    if known := _known(record):
        return _replay(known, record)
    try:
        with message_changes(record.created_at):
            _take(record)
            response = act()
            _keep(record, response)
        return response
    except _TakenError:
        if known := _known(record):
            return _replay(known, record)
        raise ConflictError("A request with this Idempotency-Key is being worked on.") from None


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
        with _bounded_wait():
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
def _bounded_wait() -> Iterator[None]:
    """PostgreSQL: at most so long for the other's row. SQLite has waited at BEGIN already."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        yield
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


def _keep(record: IdempotentRequest, response: Response) -> None:
    record.status = response.status_code
    record.location = response.headers.get("Location", "")
    record.answer = JSONRenderer().render(response.data).decode()
    record.save(update_fields=["status", "location", "answer"])


def _replay(known: IdempotentRequest, record: IdempotentRequest) -> Response:
    if known.body_digest != record.body_digest:
        raise UnprocessableError("This Idempotency-Key was used with another body.")
    headers = {REPLAYED: "true"}
    if known.location:
        headers["Location"] = known.location
    return Response(json.loads(known.answer), status=known.status, headers=headers)
