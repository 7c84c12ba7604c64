"""Checks in the admin that a church keeps at least one owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from koinonia.accounts.last_owner import KEEP_ONE_OWNER, last_owners
from koinonia.models import Church, Role, Staff

if TYPE_CHECKING:
    AdminBase = admin.ModelAdmin[Any]
    StaffFormBase = forms.ModelForm[Staff]
    StaffFormSetBase = BaseInlineFormSet[Staff, Church, forms.ModelForm[Staff]]
else:
    # Django's classes do not accept type arguments at run time.
    AdminBase = admin.ModelAdmin
    StaffFormBase, StaffFormSetBase = forms.ModelForm, BaseInlineFormSet


class KeepsOwners(AdminBase):
    """Protects last owners from deletion, in an admin of memberships or of users."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        last = last_owners(_memberships(self.model, objs))
        protected += [f"{membership}: {KEEP_ONE_OWNER}" for membership in last]
        return deleted, counts, lacking, protected

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        # Check again inside a transaction: the confirmation page ran without one, and another
        # owner can have left since.
        with transaction.atomic():
            if last_owners(_memberships(self.model, queryset)):
                raise PermissionDenied(KEEP_ONE_OWNER)
            super().delete_queryset(request, queryset)


ROLES = (
    "A viewer reads. A sender also sends, and edits members and groups. An owner also manages staff, API keys, webhooks"
    " and settings."
)


class StaffForm(StaffFormBase):
    """Rejects a new role or church for the last owner."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            self.fields["role"].help_text = ROLES

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stays = cleaned.get("role") == Role.OWNER and "church" not in self.changed_data
        if not stays and last_owners(Staff.objects.filter(pk=self.instance.pk)):
            raise ValidationError(KEEP_ONE_OWNER)
        return cleaned


class StaffFormSet(StaffFormSetBase):
    """The staff of one church, saved together: an owner can leave if the form adds another."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        # Django gives the fields of a row no label.
        if "role" in form.fields:
            form.fields["role"].widget.attrs["aria-label"] = "Role"
        if "DELETE" in form.fields:
            words = f"Delete {form.instance}" if form.instance.pk else "Delete"
            form.fields["DELETE"].widget.attrs["aria-label"] = words

    def clean(self) -> None:
        super().clean()
        changed = [form for form in self.forms if form.has_changed()]
        leaving = [form.instance.pk for form in changed if not _is_owner(form)]
        another = any(_is_owner(form) for form in changed)
        if not another and last_owners(Staff.objects.filter(pk__in=leaving)):
            raise ValidationError(KEEP_ONE_OWNER)


def _is_owner(form: forms.ModelForm[Staff]) -> bool:
    given = getattr(form, "cleaned_data", {})
    return given.get("role") == Role.OWNER and not given.get("DELETE")


def _memberships(model: type[Model], rows: Any) -> QuerySet[Staff]:
    keys = [row.pk for row in rows]
    if issubclass(model, Staff):
        return Staff.objects.filter(pk__in=keys)
    return Staff.objects.filter(user__in=keys)
