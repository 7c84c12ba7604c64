"""The stored webhook events: read them without personal data, replay them, close unmatched ones."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Max, Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery.admin.filters import emptiness
from delivery.admin.readonly import ReadOnlyAdmin, acting_user, to_the_second
from delivery.models import WebhookEvent
from delivery.webhooks import replay
from delivery.webhooks.redacted import redacted

_LATEST = 2_000
_MOST_AT_ONCE = 1_000


class ResultFilter(admin.SimpleListFilter):
    """Selects among the latest events: a rare result would be searched for through all of them."""

    title = f"result (of the latest {_LATEST:,})"
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in WebhookEvent.Result.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent]
    ) -> QuerySet[WebhookEvent]:
        if (value := self.value()) is None:
            return queryset
        newest = WebhookEvent.objects.aggregate(pk=Max("pk"))["pk"] or 0
        return queryset.filter(result=value, pk__gt=newest - _LATEST)


class UnmatchedFilter(admin.SimpleListFilter):
    """Selects the events that wait for an unknown message or number."""

    title = "queue"
    parameter_name = "unmatched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Without a text")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent]
    ) -> QuerySet[WebhookEvent]:
        if self.value() != "yes":
            return queryset
        before = timezone.now() - replay.UNMATCHED_AFTER
        return queryset.filter(applied_at__isnull=True, received_at__lt=before)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin[WebhookEvent]):
    change_list_template = "admin/delivery/webhookevent/change_list.html"
    change_form_template = "admin/delivery/webhookevent/change_form.html"
    list_display = ["event_id", "event_type", "received", "state", "to_do"]
    list_filter = [
        UnmatchedFilter,
        ResultFilter,
        ("applied_at", emptiness("state", "waits", "applied")),
    ]
    search_fields = ["event_id", "provider_id"]
    search_help_text = "An event's id, or the provider's id of a message, whole."
    sortable_by = ()
    actions = ["replay_selected", "close_selected"]
    received = to_the_second("received_at", "received")
    applied = to_the_second("applied_at", "applied")
    occurred = to_the_second("occurred_at", "occurred")
    due = to_the_second("due_at", "next try")
    fields = readonly_fields = (
        "event_id", "event_type", "provider", "provider_id", "ref", "occurred", "received", "due",
        "applied", "state", "message_number", "to_do", "shown_payload",
    )  # fmt: skip

    @staticmethod
    def story_url(message_id: int) -> str:
        """Return the address of a host's page about a message, or ``""``. A host replaces this function."""
        return ""

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may replay or close events. The form itself is read-only."""
        return request.user.has_perm("delivery.change_webhookevent")

    @admin.display(description="result")
    def state(self, event: WebhookEvent) -> str:
        if event.applied_at is None:
            return "waits"
        return WebhookEvent.Result(event.result).label if event.result else "-"

    @admin.display(description="what to do")
    def to_do(self, event: WebhookEvent) -> str:
        return replay.advice(event)

    @admin.display(description="our text")
    def message_number(self, event: WebhookEvent) -> str:
        return "-" if event.message_id is None else f"#{event.message_id}"

    @admin.display(description="as it came")
    def shown_payload(self, event: WebhookEvent) -> SafeString:
        return format_html(
            '<pre class="letter-payload">{}</pre>', redacted(event.payload, event.provider)
        )

    @admin.action(description="Replay", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        chosen = self._chosen(request, queryset)
        count = replay.replay([event.pk for event in chosen], timezone.now())
        self._log(request, chosen, "Replayed.")
        self.message_user(request, f"Workers apply again: {count}.", messages.SUCCESS)
        if stored := len(chosen) - count:
            self.message_user(
                request,
                f"Left out: {stored}. A text from a person that is stored is not stored again.",
                messages.WARNING,
            )

    @admin.action(description="Close as not ours", permissions=["replay"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        chosen = self._chosen(request, queryset)
        count = replay.give_up([event.pk for event in chosen], timezone.now())
        self._log(request, chosen, "Closed as not ours.")
        self.message_user(request, f"Closed: {count}.", messages.SUCCESS)
        if others := len(chosen) - count:
            self.message_user(request, f"Left out: {others}, which wait no more.", messages.WARNING)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent], search_term: str
    ) -> tuple[QuerySet[WebhookEvent], bool]:
        """Search for whole ids, so that the query uses their indexes."""
        if search_term:
            queryset = queryset.filter(Q(event_id=search_term) | Q(provider_id=search_term))
        return queryset, False

    def get_ordering(self, request: HttpRequest) -> tuple[str | Combinable, ...]:
        """Return the order of the index that holds the waiting events alone, for their list."""
        return ("due_at", "pk") if _shows_unmatched(request) else ("-pk",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "title": "Webhook events",
            "shows_unmatched": _shows_unmatched(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may_replay = self.has_replay_permission(request)
        event = self.get_object(request, object_id)
        if request.method == "POST" and may_replay and event is not None:
            rows = self.get_queryset(request).filter(pk=event.pk)
            if "_replay" in request.POST:
                self.replay_selected(request, rows)
            elif "_close" in request.POST:
                self.close_selected(request, rows)
            return HttpResponseRedirect(request.path)
        message = event.message_id if event is not None else None
        context = {
            "title": "Webhook event",
            "may_replay": may_replay,
            "story_url": "" if message is None else self.story_url(message),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def _chosen(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> list[WebhookEvent]:
        """Return the rows, at most a thousand; say so if there are more."""
        rows = list(queryset.order_by("pk").only("event_id", "event_type")[: _MOST_AT_ONCE + 1])
        if len(rows) > _MOST_AT_ONCE:
            self.message_user(
                request,
                f"These are the first {_MOST_AT_ONCE:,}. Repeat it for the others.",
                messages.WARNING,
            )
        return rows[:_MOST_AT_ONCE]

    def _log(self, request: HttpRequest, events: list[WebhookEvent], sentence: str) -> None:
        acting_user(request)
        for event in events:
            self.log_change(request, event, sentence)


def _shows_unmatched(request: HttpRequest) -> bool:
    return request.GET.get(UnmatchedFilter.parameter_name) == "yes"
