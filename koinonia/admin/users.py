"""Users and invitations in the admin. Nobody there learns the password of an account made for another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group as UserGroup
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from delivery.admin.closed_lookups import ClosedLookups
from koinonia.accounts import invitations, mail
from koinonia.accounts.new_accounts import password_link
from koinonia.admin.last_owner import KeepsOwners
from koinonia.admin.names import TidyNamesMixin
from koinonia.models import Invitation

if TYPE_CHECKING:
    UserAdminBase = UserAdmin[User]
    InvitationAdminBase = admin.ModelAdmin[Invitation]
    UserFormBase = forms.ModelForm[User]
    InvitationFormBase = forms.ModelForm[Invitation]
else:
    # Django's classes take no type arguments at run time.
    UserAdminBase, InvitationAdminBase = UserAdmin, admin.ModelAdmin
    UserFormBase = InvitationFormBase = forms.ModelForm

admin.site.unregister(User)
admin.site.unregister(UserGroup)


class NewUserForm(UserFormBase):
    """A name and an address; the person chooses the password."""

    class Meta:
        model = User
        fields = ["username", "email"]


@admin.register(User)
class PersonAdmin(ClosedLookups, TidyNamesMixin, KeepsOwners, UserAdminBase):
    """Django's own, but a church's last owner stays, and new users choose their password."""

    add_form = NewUserForm
    add_fieldsets = [
        (
            None,
            {
                "fields": ("username", "email"),
                "description": "The person gets a link to choose a password, which works once.",
            },
        ),
    ]
    actions = ["send_password_link"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return ClosedLookups.lookup_allowed(self, lookup, value, request)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if not change:
            transaction.on_commit(partial(_send_link, self, request, obj))

    @admin.action(description="Send a link to choose a password", permissions=["change"])
    def send_password_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.filter(is_active=True)[:100]:
            _send_link(self, request, user)


@admin.register(UserGroup)
class UserGroupAdmin(ClosedLookups, DjangoGroupAdmin):
    """Django's own."""


class InvitationForm(InvitationFormBase):
    class Meta:
        model = Invitation
        fields = ["church", "email", "username", "role"]
        help_texts = {"email": "An address or a user name: one of them."}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(cleaned.get("email")) == bool(cleaned.get("username")):
            raise ValidationError("Name an e-mail address or a user name, and only one of them.")
        return cleaned

    def validate_constraints(self) -> None:
        """Ask none: an invitation of the same person again replaces the first."""


@admin.register(Invitation)
class InvitationAdmin(ClosedLookups, InvitationAdminBase):
    """The operator invites as an owner does, the first owner of a church above all."""

    form = InvitationForm
    list_display = ["__str__", "church", "role", "invited_by", "created_at", "expires_at"]
    list_filter = ["role"]
    list_select_related = ["church", "invited_by"]
    search_fields = ["church__name", "church__slug", "email", "username"]
    autocomplete_fields = ["church"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made, token = invitations.invite(
            obj.church, email=obj.email, username=obj.username, role=obj.role,
            invited_by=cast(User, request.user), by_operator=True, now=timezone.now(),
        )  # fmt: skip
        # The log of the admin names the row that was made.
        obj.pk = made.pk
        if made.email:
            transaction.on_commit(partial(_send_invitation, self, request, made, token))


def _send_link(of: Any, request: HttpRequest, user: User) -> None:
    if user.email and mail.is_delivered():
        try:
            mail.send_password_link(user)
        except mail.MailFailedError:
            of.message_user(request, "The mail could not be sent.", messages.ERROR)
        else:
            of.message_user(request, f"A link to choose a password went to {user.email}.")
            return
    told = f"Pass this link on to {user.get_username()}. It works once: {password_link(user)}"
    of.message_user(request, told, messages.WARNING)


def _send_invitation(of: Any, request: HttpRequest, invitation: Invitation, token: str) -> None:
    if mail.is_delivered():
        try:
            mail.send_invitation(invitation, token)
        except mail.MailFailedError:
            of.message_user(request, "The mail could not be sent.", messages.ERROR)
        else:
            of.message_user(request, f"The invitation went to {invitation.email}.")
            return
    link = mail.invitation_link(token)
    told = f"Pass this link on to {invitation.email}. It works once: {link}"
    of.message_user(request, told, messages.WARNING)
