"""The dead letter queue: failed messages, the reasons in plain words, and the possible actions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from delivery import dead_letters
from delivery.admin.bounded import BoundedPaginator, MergingPaginator, is_oldest_first
from delivery.admin.filters import (
    CLASSES,
    AgeFilter,
    ClassFilter,
    CodeFilter,
    DiscardedFilter,
    StatusFilter,
    TenantFilter,
    shows_what_waits_in_a_tenant,
)
from delivery.admin.letter_acts import LetterActs
from delivery.admin.letter_filters import AssignedFilter, BatchFilter, DiedFilter
from delivery.admin.letter_search import SEARCH_HELP, search
from delivery.admin.readonly import ReadOnlyAdmin, ReadOnlyInline, to_the_second
from delivery.admin.saved_filters import SavedFilters
from delivery.admin.sealed_search import SealedSearch
from delivery.dead_letters.queue import masked
from delivery.models import Attempt, DeadLetter, DeadLetterAction, Message
from delivery.models.queue import MessageQuerySet
from delivery.statuses import DEAD_LETTERS


def _may_double(_inline: object, action: DeadLetterAction) -> bool:
    return action.may_double


def _words(_inline: object, action: DeadLetterAction) -> str:
    """Return the words of a decision: a reason, a note, or the colleague of an assignment."""
    if action.kind == DeadLetterAction.Kind.ASSIGN:
        return f"to {action.reason or 'nobody'}"
    return action.reason or "-"


class AttemptInline(ReadOnlyInline[Attempt]):
    model = Attempt
    began = to_the_second("started_at", "began")
    verbose_name_plural = "calls of the provider"
    fields = readonly_fields = (
        "number", "began", "took", "outcome", "http_status", "code", "detail",
    )  # fmt: skip

    @admin.display(description="took")
    def took(self, attempt: Attempt) -> str:
        return f"{attempt.duration_ms:,} ms"


class ActionInline(ReadOnlyInline[DeadLetterAction]):
    model = DeadLetterAction
    verbose_name_plural = "decisions"
    moment = to_the_second("at")
    doubles = admin.display(boolean=True, description="may be a double")(_may_double)
    words = admin.display(description="words")(_words)
    fields = readonly_fields = ("moment", "by", "kind", "error_code", "doubles", "words")

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
class DeadLetterAdmin(SealedSearch, SavedFilters, LetterActs, ReadOnlyAdmin[DeadLetter]):
    change_list_template = "admin/delivery/deadletter/change_list.html"
    change_form_template = "admin/delivery/deadletter/change_form.html"
    list_display = ["letter", "reason", "parties", "age", "care"]
    list_display_links = ["letter"]
    list_filter = [
        DiscardedFilter, AssignedFilter, StatusFilter, CodeFilter, AgeFilter, DiedFilter,
        TenantFilter, BatchFilter, ClassFilter,
    ]  # fmt: skip
    statuses = sorted(DEAD_LETTERS)
    common_fields = ("error_code", "error_class", "tenant", "batch")
    paginator = DeadLetterPaginator
    list_select_related = ["tenant", "reviewed_by", "assignment__to"]
    search_fields = ["pk"]
    search_help_text = SEARCH_HELP
    # The time of the death: nothing changes a dead letter later.
    ordering = ["-updated_at", "-pk"]
    sortable_by = ["age"]
    actions = ["retry_selected", "assign_selected", "discard_selected", "export_selected"]
    inlines = [AttemptInline, ActionInline]
    fieldsets = [
        ("Error", {"fields": [("error_code", "kind"), ("error_title", "died")]}),
        (
            "Text",
            {
                "fields": [
                    ("sender", "masked_number"),
                    ("size", "priority"),
                    ("created", "expires"),
                ]
            },
        ),
    ]
    decided_fieldset = (
        "Review",
        {"fields": [("reviewed_by", "reviewed"), ("discarded", "discarded_reason")]},
    )
    created, expires = (
        to_the_second("created_at", "created"),
        to_the_second("expires_at", "expires"),
    )
    died, reviewed = (
        to_the_second("dead_since", "dead since"),
        to_the_second("reviewed_at", "reviewed"),
    )
    discarded = to_the_second("discarded_at", "discarded")
    readonly_fields = [
        "sender", "masked_number", "size", "kind", "created", "expires", "died", "reviewed", "discarded",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        letters = DeadLetter.objects.watched(*sorted(DEAD_LETTERS))
        return cast("QuerySet[DeadLetter]", letters)

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **options: Any
    ) -> BoundedPaginator:
        """Return the paginator of the index that fits the filters, or that of the history's entries."""
        if not issubclass(queryset.model, Message):
            return BoundedPaginator(queryset, *args, **options)
        in_a_tenant = shows_what_waits_in_a_tenant(request)
        kind = TenantPaginator if in_a_tenant else DeadLetterPaginator
        return kind(queryset, *args, **options)

    def search(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], words: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        return search(queryset, words, self.public_key), False

    @staticmethod
    def story_url(letter: DeadLetter) -> str:
        """Return the address of a host's page about the message, or ``""``. A host replaces this function."""
        return ""

    @staticmethod
    def public_key(text: str) -> int | None:
        """Return the key behind an id that the host shows to its users. A host replaces this function."""
        return None

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

    def get_fieldsets(self, request: HttpRequest, obj: DeadLetter | None = None) -> Any:
        """Return the fields that say something."""
        decided = obj is not None and (obj.reviewed_by_id or obj.discarded_at)
        return [*self.fieldsets, self.decided_fieldset] if decided else self.fieldsets

    @admin.display(description="kind of error")
    def kind(self, letter: DeadLetter) -> str:
        return CLASSES.get(letter.error_class, letter.error_class)

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

    @admin.display(description="dead for", ordering="-updated_at")
    def age(self, letter: DeadLetter) -> SafeString:
        word = "discarded" if letter.discarded_at else letter.status
        return format_html(
            '<span class="letter-state letter-{}">{}</span> <span class="letter-age">{}</span>',
            word, word, _age(letter),
        )  # fmt: skip

    @admin.display(description="assigned")
    def care(self, letter: DeadLetter) -> SafeString | str:
        who = assigned_to(letter) or "nobody"
        if letter.reviewed_by is None:
            return who
        seen = letter.reviewed_by.get_username()
        return format_html('{} <span class="letter-to">seen by {}</span>', who, seen)

    @admin.display(description="size")
    def size(self, letter: DeadLetter) -> str:
        media = f", {len(letter.media_urls)} media" if letter.media_urls else ""
        parts = "1 part" if letter.parts == 1 else f"{letter.parts} parts"
        return f"{len(letter.text)} characters, {parts}, {letter.encoding}{media}"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {
            "title": "Dead letters",
            "may_decide": self.has_decide_permission(request),
            **self.saved_filters(request),
        }
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        letter = self.get_object(request, object_id)
        if letter is None and request.method == "POST":
            return self.tell_gone(request)
        if letter is not None and request.method == "POST" and self.has_decide_permission(request):
            return self.decide(request, letter)
        context = {
            "title": f"Dead letter #{object_id}",
            "subtitle": None,
            "explanation": dead_letters.explain(letter.error_code, letter.provider)
            if letter
            else "",
            "may_decide": letter
            and not letter.discarded_at
            and self.has_decide_permission(request),
            "story_url": self.story_url(letter) if letter else "",
            "colleagues": dead_letters.colleagues() if letter else (),
            "assigned_to": assigned_to(letter) if letter else "",
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)


def assigned_to(letter: DeadLetter) -> str:
    """Return the name of the colleague, or ``""``."""
    assignment = getattr(letter, "assignment", None)
    return assignment.to.get_username() if assignment else ""


def _age(letter: DeadLetter) -> str:
    if letter.dead_since is None:
        return "-"
    if timezone.now() - letter.dead_since < timedelta(minutes=1):
        return "under a minute"
    return timesince(letter.dead_since, depth=1)
