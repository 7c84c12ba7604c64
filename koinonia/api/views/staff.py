from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as PasswordError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia import owners
from koinonia.admin_names import visible
from koinonia.api.serializers.churches import StaffSerializer
from koinonia.api.serializers.strict import KnownFieldsMixin
from koinonia.api.uniqueness import taken_as_error
from koinonia.api.views.base import ChurchView, ItemView, ListCreateView
from koinonia.models import Role, Staff


class NewStaffSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """A user name that exists needs no password, a new one does."""

    username = serializers.CharField(max_length=150, validators=[User.username_validator, visible])
    role = serializers.ChoiceField(Role.choices)
    password = serializers.CharField(
        max_length=4096, trim_whitespace=False, required=False, write_only=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["user"] = User.objects.filter(username=attrs["username"]).first()
        if attrs["user"]:
            if "password" in attrs:
                told = "This user exists already and has a password: leave it out."
                raise serializers.ValidationError({"password": [told]})
        elif "password" not in attrs:
            told = "There is no user of this name yet: a new one needs a password."
            raise serializers.ValidationError({"password": [told]})
        else:
            _check_password(attrs["password"], attrs["username"])
        return attrs


class _Staff(ChurchView):
    serializer_class = StaffSerializer
    read_role = write_role = Role.OWNER
    collections = ("staff", "people")

    def get_queryset(self) -> QuerySet[Staff]:
        return Staff.objects.filter(church=self.church).select_related("user")


class StaffListView(_Staff, ListCreateView):
    """Who works for the church, and as what. For owners."""

    item_route = "api:staff-member"
    example_body = {"username": "", "role": Role.VIEWER}

    @extend_schema(request=NewStaffSerializer, responses={201: StaffSerializer})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = self.checked(NewStaffSerializer)
        with taken_as_error(username="This user is staff of this church already."):
            user = given["user"] or User.objects.create_user(
                given["username"], password=given["password"]
            )
            place = Staff.objects.create(church=self.church, user=user, role=given["role"])
        return self.created(place, self.get_serializer(place).data)


class StaffView(_Staff, ItemView):
    """One of the staff. The last owner stays one."""

    has_version = True
    http_method_names = ["patch", "delete", "options"]

    @transaction.atomic
    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        place = cast(Staff, serializer.instance)
        role = serializer.validated_data.get("role", place.role)
        if role != Role.OWNER:
            _keep_an_owner(without=place, field="role")
        place.role = role
        place.save(update_fields=["role"])

    @transaction.atomic
    def perform_destroy(self, instance: Model) -> None:
        _keep_an_owner(without=instance, field="non_field_errors")
        if not instance.delete()[0]:
            raise Http404


def _keep_an_owner(*, without: Model, field: str) -> None:
    if owners.last_owners(Staff.objects.filter(pk=without.pk)):
        raise serializers.ValidationError({field: [owners.SENTENCE]})


def _check_password(password: str, username: str) -> None:
    try:
        validate_password(password, User(username=username))
    except PasswordError as error:
        raise serializers.ValidationError({"password": list(error.messages)}) from None
