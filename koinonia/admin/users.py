"""Users and invitations in the admin. The operator never learns the password of a new user."""

from __future__ import annotations

from collections.abc import Callable
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

from delivery.admin.bounded import BoundedList
from delivery.admin.closed_lookups import ClosedLookups
from delivery.admin.readonly import to_the_second
from koinonia.accounts import invitations, mail
from koinonia.accounts.new_accounts import password_link
from koinonia.admin.last_owner import ROLES, KeepsOwners
from koinonia.admin.names import TidyNamesMixin
from koinonia.models import Invitation

if TYPE_CHECKING:
    UserAdminBase = UserAdmin[User]
    InvitationAdminBase = admin.ModelAdmin[Invitation]
    UserFormBase = forms.ModelForm[User]
    InvitationFormBase = forms.ModelForm[Invitation]
else:
    # Django's classes do not accept type arguments at run time.
    UserAdminBase, InvitationAdminBase = UserAdmin, admin.ModelAdmin
    UserFormBase = InvitationFormBase = forms.ModelForm

admin.site.unregister(User)
admin.site.unregister(UserGroup)


class NewUserForm(UserFormBase):
    """The form of a new user, who chooses a password later."""

    class Meta:
        model = User
        fields = ["username", "email"]


@admin.register(User)
class CustomUserAdmin(BoundedList, ClosedLookups, TidyNamesMixin, KeepsOwners, UserAdminBase):
    """Django's admin of users, but it keeps a church's last owner and sends links to new users."""

    add_form = NewUserForm
    add_fieldsets = [
        (
            None,
            {
                "fields": ("username", "email"),
                "description": "The user gets a link to choose a password. The link works once.",
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
    """Django's admin of user groups, with closed lookups."""


class InvitationForm(InvitationFormBase):
    class Meta:
        model = Invitation
        fields = ["church", "email", "username", "role"]
        labels = {"email": "E-mail address", "username": "User name"}
        help_texts = {
            "email": "Of a person without an account here. A link goes there; it works once, for a week.",
            "username": "Or the name of a user, who finds the invitation after signing in. Only one of the two.",
            "role": ROLES,
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(cleaned.get("email")) == bool(cleaned.get("username")):
            raise ValidationError("Name an e-mail address or a user name, but only one of them.")
        return cleaned

    def validate_constraints(self) -> None:
        """Skip the unique constraint: a second invitation of the same user replaces the first."""


@admin.register(Invitation)
class InvitationAdmin(BoundedList, ClosedLookups, InvitationAdminBase):
    """Invitations by the operator, mainly of a church's first owner."""

    form = InvitationForm
    list_display = ["__str__", "church", "role", "invited_by", "created", "expires"]
    created, expires = (
        to_the_second("created_at", "created"),
        to_the_second("expires_at", "expires"),
    )
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
        # The admin's log entry refers to the saved row.
        obj.pk = made.pk
        if made.email:
            transaction.on_commit(partial(_send_invitation, self, request, made, token))


def _send_link(model_admin: Any, request: HttpRequest, user: User) -> None:
    _send_or_show(
        partial(model_admin.message_user, request),
        send=partial(mail.send_password_link, user) if user.email else None,
        confirmation=f"A link to choose a password went to {user.email}.",
        recipient=user.get_username(),
        link=password_link(user),
    )


def _send_invitation(
    model_admin: Any, request: HttpRequest, invitation: Invitation, token: str
) -> None:
    _send_or_show(
        partial(model_admin.message_user, request),
        send=partial(mail.send_invitation, invitation, token),
        confirmation=f"The invitation went to {invitation.email}.",
        recipient=invitation.email,
        link=mail.invitation_link(token),
    )


def _send_or_show(
    show: Callable[..., None],
    *,
    send: Callable[[], None] | None,
    confirmation: str,
    recipient: str,
    link: str,
) -> None:
    """Send an e-mail; without a mail server, or after a failure, show its link to the operator."""
    if send and mail.is_delivered():
        try:
            send()
        except mail.MailFailedError:
            show("The mail could not be sent.", messages.ERROR)
        else:
            show(confirmation)
            return
    show(f"Pass this link on to {recipient}. It works once: {link}", messages.WARNING)
