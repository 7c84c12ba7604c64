from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from throttling import inspection
from throttling.buckets import BucketsUnavailableError
from throttling.inspection import Subject
from throttling.models import Allowance, ThrottleState

if TYPE_CHECKING:
    AllowanceBase = admin.ModelAdmin[Allowance]
    StateBase = admin.ModelAdmin[ThrottleState]
    FormBase = forms.ModelForm[Allowance]
    UserFieldBase = forms.ModelChoiceField[AbstractBaseUser]
else:
    AllowanceBase = StateBase = admin.ModelAdmin
    FormBase = forms.ModelForm
    UserFieldBase = forms.ModelChoiceField

logger = logging.getLogger(__name__)


class UserNameField(UserFieldBase):
    """Choose a user by name, because editors of the allowlist may not be allowed to list users."""

    def to_python(self, value: Any) -> AbstractBaseUser | None:
        if value and "\0" in str(value):
            raise self._unknown(value)
        try:
            return super().to_python(value)
        except forms.ValidationError as error:
            raise self._unknown(value) from error

    def _unknown(self, value: Any) -> forms.ValidationError:
        return forms.ValidationError(f"No user is called {value!r}.", code="invalid_choice")


class AllowanceForm(FormBase):
    user = UserNameField(
        queryset=get_user_model()._default_manager.all(),
        to_field_name=get_user_model().USERNAME_FIELD,
        required=False,
        widget=AdminTextInputWidget(attrs={"autocapitalize": "none", "spellcheck": "false"}),
        help_text="A user name.",
    )

    class Meta:
        help_texts: ClassVar[dict[str, str]] = {
            "policies": "Names of policies, separated by commas; empty for all. A user is unknown "
            "before the login: name the login policies to exempt the user name from them.",
            "note": "Why this entry exists.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "expires_at" in self.fields:
            _label_date_and_time(self.fields["expires_at"])
        if self.instance.user is not None:
            self.initial["user"] = self.instance.user.get_username()


def _label_date_and_time(field: forms.Field) -> None:
    """Give both inputs of the field a name: Django's widget has one label for the two."""
    label = str(field.label or "Expires at")
    inputs = field.widget.widgets if isinstance(field.widget, forms.MultiWidget) else ()
    for one, word in zip(inputs, ("date", "time"), strict=False):
        one.attrs["aria-label"] = f"{label}: {word}"
    field.help_text = f"The zone is {timezone.get_current_timezone_name()}. Empty: never."


@admin.register(Allowance)
class AllowanceAdmin(AllowanceBase):
    """The allowlist; a change takes effect on the next request of every process."""

    list_display = ("subject", "policies_shown", "in_force", "expires", "note", "created_by")
    list_select_related = ("user", "created_by")
    search_fields = ("network", "token", "note", f"user__{get_user_model().USERNAME_FIELD}")
    form = AllowanceForm
    readonly_fields = ("created_by", "created_at")
    fieldsets = (
        (
            "Who",
            {
                "fields": ("user", "network", "token"),
                "description": "Exactly one of the three.",
            },
        ),
        ("What", {"fields": ("policies", "expires_at", "note")}),
        ("Record", {"fields": ("created_by", "created_at")}),
    )

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Refuse every lookup: the list has no filters, and a made-up one must be a 400, not a 500."""
        return False

    @admin.display(description="policies")
    def policies_shown(self, row: Allowance) -> str:
        return row.policies.replace(",", ", ") or "all"

    @admin.display(description="expires at", ordering="expires_at", empty_value="never")
    def expires(self, row: Allowance) -> str | None:
        at = row.expires_at
        if at is None:
            return None
        # A host may keep times without zones.
        here = timezone.localtime(at) if timezone.is_aware(at) else at
        return f"{here:%Y-%m-%d %H:%M:%S %Z}".rstrip()

    @admin.display(boolean=True)
    def in_force(self, row: Allowance) -> bool:
        return row.expires_at is None or row.expires_at > timezone.now()

    def save_model(self, request: HttpRequest, obj: Allowance, form: Any, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)


@admin.register(ThrottleState)
class ThrottleStateAdmin(StateBase):
    """The live buckets of a user, a user name or an address, with a button that fills them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> None:
        """Return None: the state has a page but no rows."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._reset(request)
        context = {
            **self.admin_site.each_context(request),
            "title": "Rate limits",
            "opts": self.opts,
            "is_list_page": True,
            "may_reset": self.has_change_permission(request),
            "asked": request.GET,
            **self._found(request),
        }
        return TemplateResponse(request, "throttling/admin/state.html", context)

    def _found(self, request: HttpRequest) -> dict[str, Any]:
        subject = _subject(request)
        try:
            return {
                "searched": subject != Subject(),
                "buckets": inspection.look(subject),
                "most_refused": inspection.most_refused(),
            }
        except BucketsUnavailableError as error:
            logger.warning(
                "The throttle state could not be read: %s",
                error,
                extra={"action": "throttle_state_unread"},
            )
            return {"unavailable": True}

    def _reset(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        names = inspection.valid_names(request.POST.getlist("bucket"))
        if not names:
            self.message_user(request, "No bucket was chosen; nothing changed.", messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        try:
            count = inspection.reset(names)
        except BucketsUnavailableError:
            self.message_user(request, "Redis does not answer; nothing changed.", messages.ERROR)
        else:
            _record(request, names)
            filled = f"{count} bucket{'' if count == 1 else 's'} filled."
            self.message_user(request, filled if count else "They were full already.")
        return HttpResponseRedirect(request.get_full_path())


def _subject(request: HttpRequest) -> Subject:
    name, address, bucket = (
        request.GET.get(field, "").strip() or None for field in ("name", "address", "bucket")
    )
    return Subject(
        user=inspection.user_key(name) if name else None, name=name, address=address, bucket=bucket
    )


def _record(request: HttpRequest, names: list[str]) -> None:
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=ContentType.objects.get_for_model(ThrottleState),
        object_repr=", ".join(names)[:200],
        action_flag=CHANGE,
        change_message="Filled.",
    )
