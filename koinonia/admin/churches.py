"""Churches, staff, members, groups and sending numbers in the Django admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from delivery.admin.bounded import BoundedList
from delivery.admin.closed_lookups import ClosedLookups
from delivery.admin.readonly import ReadOnlyAdmin, second_of, to_the_second
from delivery.admin.sealed_search import SealedSearch
from koinonia import phone, sending_numbers
from koinonia.admin.last_owner import KeepsOwners, StaffForm, StaffFormSet
from koinonia.admin.names import TidyNamesMixin
from koinonia.models import Church, Group, Member, SendingNumber, Staff
from koinonia.names import search_key
from koinonia.quiet.hours import DEFAULT_FROM, DEFAULT_UNTIL, quiet_hours_refusal
from koinonia.series import new_zone

if TYPE_CHECKING:
    ChurchAdminBase = admin.ModelAdmin[Church]
    GroupAdminBase = admin.ModelAdmin[Group]
    MemberAdminBase = admin.ModelAdmin[Member]
    StaffAdminBase = admin.ModelAdmin[Staff]
    ChurchFormBase = forms.ModelForm[Church]
    StaffInlineBase = admin.TabularInline[Staff, Church]
else:
    # Django's admin classes do not accept type arguments at run time.
    ChurchAdminBase = GroupAdminBase = MemberAdminBase = StaffAdminBase = admin.ModelAdmin
    StaffInlineBase, ChurchFormBase = admin.TabularInline, forms.ModelForm


class StaffInline(StaffInlineBase):
    model = Staff
    formset = StaffFormSet
    autocomplete_fields = ["user"]
    extra = 0


class ChurchForm(ChurchFormBase):
    class Meta:
        model = Church
        fields = [
            "slug", "name", "phone_number", "country", "timezone", "opt_out_words", "plain_punctuation",
            "uses_second_number", "keep_texts_days", "quiet_from", "quiet_until",
        ]  # fmt: skip
        help_texts = {
            "slug": "The name in addresses, such as grace in /churches/grace/. A change ends links and programs"
            " that use the old one.",
            "phone_number": "With + and the country code, such as +13125550142. Texts come from it, and answers go"
            " to it. The previous number stays reserved for 30 days and while texts wait.",
            "country": "Two letters, such as US: numbers without + are read as numbers of this country.",
            "timezone": "Such as America/Chicago. The office reads and writes times of this zone.",
        }
        labels = {
            "slug": "Short name",
            "timezone": "Time zone",
            "opt_out_words": "Opt-out words",
            "keep_texts_days": "Keep texts for (days)",
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        country, number = cleaned.get("country") or "US", cleaned.get("phone_number")
        if number:
            try:
                cleaned["phone_number"] = phone.normalise(number, country)
            except phone.UnusableNumberError as error:
                raise ValidationError({"phone_number": str(error)}) from None
            try:
                sending_numbers.check(self.instance, cleaned["phone_number"], now=timezone.now())
            except sending_numbers.NumberRefusedError as error:
                raise ValidationError({"phone_number": str(error)}) from None
        else:
            cleaned["phone_number"] = None
        if reason := quiet_hours_refusal(cleaned.get("quiet_from"), cleaned.get("quiet_until")):
            raise ValidationError({"quiet_until": reason})
        if cleaned.get("uses_second_number") and not sending_numbers.has_second(self.instance):
            raise ValidationError(
                {
                    "uses_second_number": "The church has no second number yet. An operator gives one"
                    " with: manage.py number second"
                }
            )
        return cleaned


@admin.register(Church)
class ChurchAdmin(BoundedList, ClosedLookups, TidyNamesMixin, ChurchAdminBase):
    form = ChurchForm
    list_display = ["name", "slug", "phone_number", "timezone"]
    search_fields = ["name", "slug", "phone_number"]
    ordering = ["name", "pk"]
    inlines = [StaffInline]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose quiet hours for a new church."""
        hours = {"quiet_from": DEFAULT_FROM, "quiet_until": DEFAULT_UNTIL}
        return {**hours, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Church, form: Any, change: bool) -> None:
        """Save the church without its number, then assign or release the number."""
        wanted, now = obj.phone_number, timezone.now()
        obj.phone_number = Church.objects.get(pk=obj.pk).phone_number if change else None
        super().save_model(request, obj, form, change)
        if change:
            new_zone.follow(obj, form.initial["timezone"], now)
        if wanted and wanted != obj.phone_number:
            sending_numbers.give(obj, wanted, now=now)
        elif not wanted and obj.phone_number:
            sending_numbers.take(obj.phone_number, now=now)
            obj.phone_number = None


@admin.register(Staff)
class StaffAdmin(BoundedList, ClosedLookups, KeepsOwners, StaffAdminBase):
    form = StaffForm
    list_display = ["user", "church", "role", "created"]
    created = to_the_second("created_at", "created")
    list_filter = ["role", "church"]
    list_select_related = ["user", "church"]
    search_fields = ["user__username", "church__name"]
    autocomplete_fields = ["user", "church"]


@admin.register(SendingNumber)
class SendingNumberAdmin(ReadOnlyAdmin[SendingNumber]):
    """A read-only list. Numbers are assigned in the form of a church or by ``manage.py number``."""

    list_display = [
        "number",
        "church",
        "provider",
        "second",
        "given",
        "given_up",
        "reserved",
    ]
    given, given_up = to_the_second("given_at", "given"), to_the_second("given_up_at", "given up")
    list_select_related = ["church"]
    search_fields = ["number", "church__name", "church__slug"]

    @admin.display(description="reserved until")
    def reserved(self, number: SendingNumber) -> str:
        return second_of(number.reserved_until())


@admin.register(Member)
class MemberAdmin(SealedSearch, BoundedList, ClosedLookups, TidyNamesMixin, MemberAdminBase):
    list_display = ["__str__", "phone", "church", "created"]
    created = to_the_second("created_at", "created")
    list_filter = ["church"]
    list_select_related = ["church"]
    search_fields = ["search_key", "phone"]
    autocomplete_fields = ["church", "groups"]

    def is_personal(self, words: str) -> bool:
        """Return True for any words: all of them are names or numbers of people."""
        return bool(words)

    def search(
        self, request: HttpRequest, queryset: QuerySet[Member], words: str
    ) -> tuple[QuerySet[Member], bool]:
        """Ignore case and accents in a search, like the API."""
        return super().search(request, queryset, search_key(words))


@admin.register(Group)
class GroupAdmin(BoundedList, ClosedLookups, TidyNamesMixin, GroupAdminBase):
    list_display = ["name", "church"]
    list_filter = ["church"]
    list_select_related = ["church"]
    search_fields = ["name"]
    autocomplete_fields = ["church"]
