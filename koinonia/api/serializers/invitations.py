"""Invitations, for the owners who make them and for the invited users."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from koinonia import ids
from koinonia.api.serializers.fields import ChoiceField, IdField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.models import Invitation, Role

_USER_NAME = UnicodeUsernameValidator(
    message=gettext_lazy(
        "This is neither an e-mail address nor a user name, which has letters, digits and @ . + - _ only."
    )
)


class NewInvitationSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """The invited person, by ``email`` or by ``username``, and the role."""

    email = serializers.EmailField(max_length=254, required=False)
    username = serializers.CharField(max_length=150, required=False, validators=[_USER_NAME])
    role = ChoiceField(Role.choices)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("email" in attrs) == ("username" in attrs):
            sentence = _("Name an e-mail address or a user name, and only one of them.")
            field = "username" if "email" in attrs else "email"
            raise serializers.ValidationError({field: [sentence]})
        return attrs


class InvitationSerializer(serializers.Serializer[Any]):
    """An open invitation, for the owners of the church."""

    id = IdField(source="pk")
    email = serializers.SerializerMethodField()
    username = serializers.SerializerMethodField()
    role = serializers.ChoiceField(Role.choices, read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)

    def get_email(self, invitation: Invitation) -> str | None:
        return invitation.email or None

    def get_username(self, invitation: Invitation) -> str | None:
        return invitation.username or None


class InvitingChurchSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)


class MyInvitationSerializer(serializers.Serializer[Any]):
    """An invitation by user name. ``token`` is part of the path that accepts the invitation."""

    token = serializers.SerializerMethodField()
    church = InvitingChurchSerializer(read_only=True)
    role = serializers.ChoiceField(Role.choices, read_only=True)
    invited_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)

    def get_token(self, invitation: Invitation) -> str:
        """Return the id of the invitation. It is useless to any other user."""
        return ids.encode(invitation.pk)

    def get_invited_by(self, invitation: Invitation) -> str | None:
        return invitation.invited_by.get_username() if invitation.invited_by else None
