from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from delivery.dead_letters import REFUSALS, RetryResult, dead_letters, discard, export, retry
from delivery.models import Message
from delivery.statuses import DEAD_LETTERS
from koinonia import audit, ids
from koinonia.api.errors import ConflictError
from koinonia.api.idempotency import idempotent
from koinonia.api.pagination import LatestDeadFirst
from koinonia.api.schema import CONFLICT
from koinonia.api.serializers.dead_letters import (
    BulkRetrySerializer,
    DeadLetterQuerySerializer,
    DeadLetterSerializer,
    DiscardSerializer,
    RetryResultSerializer,
    RetrySerializer,
    filter_of,
)
from koinonia.api.serializers.messages import MessageSerializer
from koinonia.api.views.base import ChurchView, ItemView, ListView
from koinonia.api.views.csv_answers import CsvAnswerView
from koinonia.api.views.sending import shown
from throttling.drf import spent

MAX_BY_FILTER = 10_000
_REFUSALS = {
    **REFUSALS,
    "may_double_required": 'It may have arrived: say {"may_double": true} to send it once more.',
}


class _DeadLetters(ChurchView):
    """Dead letters. A discarded one can still be read; the list leaves it out."""

    serializer_class = DeadLetterSerializer
    collections: ClassVar[tuple[str, ...]] = ("messages", "members", "people")
    query_serializer = DeadLetterQuerySerializer

    def get_queryset(self) -> QuerySet[Message]:
        return self.joined(Message.objects.filter(status__in=sorted(DEAD_LETTERS)))

    def joined(self, letters: QuerySet[Message]) -> QuerySet[Message]:
        return shown(letters.filter(tenant=self.church)).select_related("reviewed_by")

    def retry(self, messages: Any, may_double: bool, one: Message | None = None) -> RetryResult:
        """Put the messages back into the queue, and record it; ``one`` is the single message."""
        # Thousands of messages take a transaction per thousand, so the act is recorded after them.
        result = retry(messages, by=self.user, now=timezone.now(), may_double=may_double)
        if result.retried:
            detail = {"texts": result.retried}
            audit.record(self.church, self.user, "message.retried", one, detail)
        return result

    def waiting(self) -> Any:
        """Return the dead letters that wait for a decision and match the query."""
        return filter_of(self.query()).apply(dead_letters(self.church.pk))


class DeadLettersView(_DeadLetters, ListView):
    """Texts that could not be sent, and texts that may or may not have arrived."""

    pagination_class = LatestDeadFirst

    def get_queryset(self) -> QuerySet[Message]:
        return self.joined(Message.objects.dead_letters())

    def filter_queryset(self, queryset: Any) -> Any:
        return super().filter_queryset(filter_of(self.query()).apply(queryset))

    @extend_schema(parameters=[DeadLetterQuerySerializer])
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)


class DeadLetterView(_DeadLetters, ItemView):
    """A dead letter."""


class RetryDeadLetterView(_DeadLetters):
    item_route = "api:message"

    @extend_schema(request=RetrySerializer, responses={202: MessageSerializer})
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send the text again. If it may have arrived, `{"may_double": true}` is needed, else 409."""
        dead = self.get_object()
        given = self.checked(RetrySerializer)
        result = self.retry(Message.objects.filter(pk=dead.pk), given["may_double"], dead)
        if result.refused:
            code = result.refused[0][1]
            raise ConflictError(str(_REFUSALS[code]), code)
        message = shown(Message.objects.all()).get(pk=dead.pk)
        return self.created(message, MessageSerializer(message).data, status.HTTP_202_ACCEPTED)


class DiscardDeadLetterView(_DeadLetters):
    @extend_schema(request=DiscardSerializer, responses={200: DeadLetterSerializer, **CONFLICT})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Discard the dead letter with a reason. It can still be read."""
        reason = self.checked(DiscardSerializer)["reason"]
        dead = self.get_object()
        with transaction.atomic():
            if not discard(dead, by=self.user, reason=reason, now=timezone.now()):
                raise ConflictError("It no longer waits for a decision.")
            audit.record(self.church, self.user, "message.discarded", dead)
        return Response(self.get_serializer(self.get_object()).data)


class RetryDeadLettersView(_DeadLetters):
    throttle_policies = {"POST": ["messages"]}
    _chosen: tuple[list[int], bool] | None = None

    def get_throttle_costs(self, request: Request) -> dict[str, int]:
        """Charge one unit per text. ``post`` refuses a bad body later."""
        try:
            wanted, _ = self.chosen()
        except ValidationError:
            return {"messages": 0}
        return {"api": max(1, len(wanted)), "messages": len(wanted)}

    @extend_schema(
        operation_id="dead_letters_retry_many",
        request=BulkRetrySerializer,
        responses={202: RetryResultSerializer},
    )
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send many texts again: the named ones, or the first 10,000 that match a filter.

        The call costs as many requests and texts as it retries.
        """
        wanted, may_double = self.chosen()
        # The filter may match more by now; retry only the ones that were charged.
        result = self.retry(Message.objects.filter(pk__in=wanted), may_double)
        spent(request, {"api": max(1, result.retried), "messages": result.retried})
        refused = [{"id": ids.encode(key), "code": code} for key, code in result.refused]
        return Response(
            {"retried": result.retried, "refused": refused}, status=status.HTTP_202_ACCEPTED
        )

    def chosen(self) -> tuple[list[int], bool]:
        """Return the primary keys that the body selects, and ``may_double``. Raise ValidationError."""
        if self._chosen is None:
            given = self.checked(BulkRetrySerializer)
            self._chosen = list(self._wanted(given)), given["may_double"]
        return self._chosen

    def _wanted(self, given: dict[str, Any]) -> Iterable[int]:
        if "filter" in given:
            found = filter_of(given["filter"]).apply(dead_letters(self.church.pk))
            return found.order_by("pk").values_list("pk", flat=True)[:MAX_BY_FILTER]
        keys = {text: ids.decode(text) for text in given["ids"]}
        messages = Message.objects.filter(
            tenant=self.church, pk__in=[key for key in keys.values() if key is not None]
        )
        known = set(messages.values_list("pk", flat=True))
        if unknown := [text[:20] for text, key in keys.items() if key not in known]:
            raise ValidationError({"ids": [f"Not in this church: {', '.join(unknown[:10])}."]})
        return known


class ExportDeadLettersView(CsvAnswerView, _DeadLetters):
    # The file name contains the church.
    collections = (*_DeadLetters.collections, "church")

    @extend_schema(
        parameters=[DeadLetterQuerySerializer], responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the list as CSV."""
        content = "".join(export(self.waiting(), full_numbers=True))
        name = f'attachment; filename="{self.church.slug}-dead-letters.csv"'
        return HttpResponse(
            content, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
        )
