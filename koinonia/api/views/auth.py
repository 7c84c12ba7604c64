"""Login, logout, and the present user."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, logout
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from httpopt.versions.counters import Scope
from httpopt.views import SparseFieldsMixin, VersionedViewMixin
from koinonia.accounts import tokens
from koinonia.api.key_scopes import InScope, church_of_key, churches_of
from koinonia.api.serializers.churches import MeSerializer
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from throttling import logins
from throttling.drf import LimitExceeded


class LoginSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)

    def validate_username(self, username: str) -> str:
        # Django's own login page does the same.
        return User.normalize_username(username)


class LoggedInSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    user = MeSerializer()


class LoginView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []  # only the login limits apply

    def get_authenticate_header(self, request: Request) -> str:
        return "Bearer"

    @extend_schema(request=LoginSerializer, responses=LoggedInSerializer)
    def post(self, request: Request) -> Response:
        """Log in with a user name and password, and get a bearer token."""
        given = LoginSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            attempt = logins.attempt(request._request, given.validated_data["username"])
        except logins.LoginRefusedError as error:
            raise LimitExceeded(error.result) from error
        with attempt:
            user = authenticate(request._request, **given.validated_data)
            if not isinstance(user, User):
                raise AuthenticationFailed("The user name or the password is wrong.")
            attempt.succeeded()
        return Response(_token_for(user, request))


class LogoutView(APIView):
    permission_classes = [InScope]

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the token or the session of this request."""
        if isinstance(request.auth, AuthToken):
            request.auth.delete()
        else:
            logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(SparseFieldsMixin, VersionedViewMixin, GenericAPIView[User]):
    permission_classes = [InScope]
    serializer_class = MeSerializer
    collections = ("staff", "church", "people")
    query_parameters = ()

    def get_version_scope(self) -> Scope:
        mine: QuerySet[Any, Any] = churches_of(self.request).values("pk")
        return dict.fromkeys(self.collections, mine)

    def get_rights(self) -> str:
        return str(church_of_key(self.request) or "")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "only": church_of_key(self.request)}

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Return the user, and the churches with the role in each."""
        return Response(self.get_serializer(request.user).data)

    def get_queryset(self) -> QuerySet[User]:
        return User.objects.filter(username=self.request.user.get_username())


def _token_for(user: User, request: Request) -> dict[str, Any]:
    row, token = tokens.login_token(user)
    user_logged_in.send(sender=User, request=request._request, user=user)
    return dict(LoggedInSerializer({"token": token, "expires_at": row.expiry, "user": user}).data)
