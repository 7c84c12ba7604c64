"""The dead letter queue: failed messages, the reasons in plain words, and the possible actions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from delivery import dead_letters
from delivery.admin.bounded import BoundedPaginator, MergingPaginator, is_oldest_first
from delivery.admin.filters import (
    AgeFilter,
    ClassFilter,
    CodeFilter,
    DiscardedFilter,
    StatusFilter,
    TenantFilter,
    shows_what_waits_in_a_tenant,
)
from delivery.admin.readonly import ReadOnlyAdmin, ReadOnlyInline, acting_user, to_the_second
from delivery.dead_letters.queue import masked
from delivery.models import Attempt, DeadLetter, DeadLetterAction, Message
from delivery.models.queue import MessageQuerySet
from delivery.statuses import DEAD_LETTERS, Status


class AttemptInline(ReadOnlyInline[Attempt]):
    model = Attempt
    began = to_the_second("started_at", "began")
    fields = readonly_fields = (
        "number", "began", "duration_ms", "outcome", "http_status", "code", "detail",
    )  # fmt: skip


class ActionInline(ReadOnlyInline[DeadLetterAction]):
    model = DeadLetterAction
    verbose_name_plural = "decisions"
    moment = to_the_second("at")
    fields = readonly_fields = (
        "moment", "by", "kind", "error_code", "generation", "may_double", "reason",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetterAction]:
        return super().get_queryset(request).select_related("by")


class DeadLetterPaginator(MergingPaginator):
    statuses = sorted(DEAD_LETTERS)


class TenantPaginator(BoundedPaginator):
    """The dead letters of one tenant that wait, from the index that holds them by the time of the death."""

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        rows = cast("MessageQuerySet", self.object_list)
        order = ("dead_since", "pk") if is_oldest_first(rows) else ("-dead_since", "-pk")
        end = number * self.per_page
        found = rows.by_index_for_people().order_by(*order).values_list("pk", flat=True)
        return Page(rows.filter(pk__in=list(found[end - self.per_page : end])), number, self)

    def _count_up_to(self, most: int) -> int:
        rows = cast("MessageQuerySet", self.object_list)
        return rows.by_index_for_people().order_by()[:most].count()


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin[DeadLetter]):
    change_list_template = "admin/delivery/deadletter/change_list.html"
    change_form_template = "admin/delivery/deadletter/change_form.html"
    list_display = ["letter", "reason", "state", "parties", "age", "reviewed_by"]
    list_display_links = ["letter"]
    list_filter = [
        DiscardedFilter, StatusFilter, ClassFilter, CodeFilter, AgeFilter, TenantFilter,
    ]  # fmt: skip
    statuses = sorted(DEAD_LETTERS)
    common_fields = ("error_code", "error_class", "tenant")
    paginator = DeadLetterPaginator
    list_select_related = ["tenant", "reviewed_by"]
    # The time of the death: nothing changes a dead letter later.
    ordering = ["-updated_at", "-pk"]
    sortable_by = ["age"]
    actions = ["retry_selected", "discard_selected", "export_selected"]
    inlines = [AttemptInline, ActionInline]
    fieldsets = [
        (
            "Text",
            {
                "fields": [
                    ("sender", "masked_number"),
                    ("size", "priority"),
                    ("created_at", "expires_at"),
                ]
            },
        ),
        ("Error", {"fields": [("error_code", "error_class"), ("error_title", "dead_since")]}),
        (
            "Review",
            {"fields": [("reviewed_by", "reviewed_at"), ("discarded_at", "discarded_reason")]},
        ),
    ]
    readonly_fields = ["sender", "masked_number", "size"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        letters = DeadLetter.objects.watched(*sorted(DEAD_LETTERS))
        return cast("QuerySet[DeadLetter]", letters)

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **options: Any
    ) -> Any:
        """Return the paginator of the index that fits the filters; the history lists other rows."""
        if queryset.model is not DeadLetter:
            return BoundedPaginator(queryset, *args, **options)
        in_a_tenant = shows_what_waits_in_a_tenant(request)
        kind = TenantPaginator if in_a_tenant else DeadLetterPaginator
        return kind(queryset, *args, **options)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may decide; the actions require it. The form itself is read-only."""
        return request.user.has_perm("delivery.change_deadletter")

    @admin.display(description="text", ordering="pk")
    def letter(self, letter: DeadLetter) -> str:
        return f"#{letter.pk}"

    @admin.display(description="reason")
    def reason(self, letter: DeadLetter) -> SafeString:
        return format_html(
            '{} <span class="letter-code">{}</span>',
            dead_letters.explain(letter.error_code, letter.provider),
            letter.error_code,
        )

    @admin.display(description="status")
    def state(self, letter: DeadLetter) -> SafeString:
        word = "discarded" if letter.discarded_at else letter.status
        return format_html('<span class="letter-state letter-{}">{}</span>', word, word)

    @admin.display(description="from, to", ordering="tenant")
    def parties(self, letter: DeadLetter) -> SafeString:
        return format_html(
            '{}<br><span class="letter-to">{}</span>', letter.tenant, masked(letter.to_number)
        )

    @admin.display(description="from")
    def sender(self, letter: DeadLetter) -> str:
        return str(letter.tenant)

    @admin.display(description="to")
    def masked_number(self, letter: DeadLetter) -> str:
        return masked(letter.to_number)

    @admin.display(description="for", ordering="-updated_at")
    def age(self, letter: DeadLetter) -> str:
        if letter.dead_since is None:
            return "-"
        under_a_minute = timezone.now() - letter.dead_since < timedelta(minutes=1)
        return "under a minute" if under_a_minute else timesince(letter.dead_since, depth=1)

    @admin.display(description="size")
    def size(self, letter: DeadLetter) -> str:
        media = f", {len(letter.media_urls)} media" if letter.media_urls else ""
        parts = "1 part" if letter.parts == 1 else f"{letter.parts} parts"
        return f"{len(letter.text)} characters, {parts}, {letter.encoding}{media}"

    @admin.action(description="Retry", permissions=["decide"])
    def retry_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        unknown = queryset.filter(status=Status.UNKNOWN).count()
        if unknown and "confirmed" not in request.POST:
            return self._ask(request, queryset, "retry", unknown=unknown)
        result = dead_letters.retry(
            _messages(queryset), by=acting_user(request), now=timezone.now(),
            may_double=request.POST.get("may_double") == "yes",
        )  # fmt: skip
        if result.retried:
            self.message_user(
                request, f"Put back into the queue: {result.retried}.", messages.SUCCESS
            )
        for code, sentence in dead_letters.REFUSALS.items():
            if count := sum(refused == code for _, refused in result.refused):
                self.message_user(request, f"Refused: {count}. {sentence}", messages.WARNING)
        return None

    @admin.action(description="Discard…", permissions=["decide"])
    def discard_selected(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            asked = "confirmed" in request.POST
            return self._ask(request, queryset, "discard", reason_missing=asked)
        count = dead_letters.discard_all(
            _messages(queryset), by=acting_user(request), reason=reason[:500], now=timezone.now()
        )
        self.message_user(request, f"Discarded: {count}.", messages.SUCCESS)
        return None

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        LogEntry.objects.create(
            user_id=acting_user(request).pk,
            content_type=ContentType.objects.get_for_model(DeadLetter, for_concrete_model=False),
            object_repr="Dead letters",
            action_flag=CHANGE,
            change_message=f"Exported {queryset.count()} as CSV.",
        )
        return HttpResponse(
            "".join(dead_letters.export(_messages(queryset))),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="dead-letters.csv"'},
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Dead letters", **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        letter = self.get_object(request, object_id)
        if letter is not None and request.method == "POST" and self.has_decide_permission(request):
            return self._decide(request, letter)
        context = {
            "explanation": dead_letters.explain(letter.error_code, letter.provider)
            if letter
            else "",
            "may_decide": letter
            and not letter.discarded_at
            and self.has_decide_permission(request),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def _decide(self, request: HttpRequest, letter: DeadLetter) -> HttpResponse:
        queryset = self.get_queryset(request).filter(pk=letter.pk)
        answer: HttpResponse | None = None
        if "_review" in request.POST:
            dead_letters.review(letter, by=acting_user(request), now=timezone.now())
            self.message_user(request, "Marked as reviewed by you.", messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        if "_retry" in request.POST:
            answer = self.retry_selected(request, queryset)
        elif "_discard" in request.POST:
            answer = self.discard_selected(request, queryset)
        return answer or HttpResponseRedirect(_list_url())

    def _ask(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], action: str, **more: Any
    ) -> HttpResponse:
        """Return the confirmation page of an action. It posts to the list, like the action."""
        across = request.POST.get("select_across") == "1"
        on_list = request.path == _list_url()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Retry texts that may have arrived" if action == "retry" else "Discard",
            "count": queryset.count(),
            "action": action,
            "action_name": f"{action}_selected",
            "post_to": request.get_full_path() if on_list else _list_url(),
            "across": int(across),
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
            "ids": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
            or [str(letter.pk) for letter in queryset],
            "media": self.media,
            **more,
        }
        return TemplateResponse(request, "admin/delivery/deadletter/confirm.html", context)


def _messages(queryset: QuerySet[DeadLetter]) -> MessageQuerySet:
    """Return the same rows as messages, by a subquery, so that any number of rows works."""
    return Message.objects.filter(pk__in=queryset.order_by().values("pk"))


def _list_url() -> str:
    return reverse("admin:delivery_deadletter_changelist")
