"""The own account: password, tokens, logging out everywhere."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError as PasswordError
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema, inline_serializer
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from koinonia import ids
from koinonia.accounts import passwords, tokens
from koinonia.api.serializers.accounts import (
    MadeTokenSerializer,
    NewTokenSerializer,
    PasswordSerializer,
    TokenSerializer,
)
from throttling import logins
from throttling.drf import LimitExceeded

_TOKENS_PAGE = inline_serializer(
    "TokensPage",
    {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": TokenSerializer(many=True),
    },
)


class PasswordView(APIView):
    """One's own password."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=PasswordSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Change the password. Every session, token, ticket and socket ends, this one too."""
        given = PasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = _user(request)
        _check(request, user, given.validated_data["current_password"])
        try:
            passwords.change(user, given.validated_data["new_password"])
        except PasswordError as error:
            raise serializers.ValidationError({"new_password": list(error.messages)}) from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutEverywhereView(APIView):
    """The end of all logins."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End every session, token, ticket and socket of the user, this one too."""
        passwords.log_out_everywhere(_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokensView(APIView):
    """Bearer tokens of the user. At most 25 with a name, and the 25 newest logins."""

    permission_classes = [IsAuthenticated]
    example_body = {"name": ""}

    @extend_schema(responses=_TOKENS_PAGE)
    def get(self, request: Request) -> Response:
        """List the tokens that open the API now, newest first; never the tokens themselves."""
        found = TokenSerializer(tokens.standing(_user(request)), many=True).data
        return Response({"next": None, "previous": None, "results": found})

    @extend_schema(request=NewTokenSerializer, responses={201: MadeTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make a token for a program. `token` is shown this once."""
        given = NewTokenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            made, secret = tokens.named_token(
                _user(request), **given.validated_data, still_stands=lambda: _still_stands(request)
            )
        except tokens.LoginEndedError:
            raise AuthenticationFailed("This login has ended.") from None
        except tokens.TooManyTokensError:
            told = f"You have {tokens.MOST_NAMED} named tokens already: delete one first."
            raise serializers.ValidationError({"non_field_errors": [told]}) from None
        made.token = secret
        path = reverse("api:my-token", args=[ids.encode(made.details.pk)])
        return Response(
            MadeTokenSerializer(made).data,
            status=status.HTTP_201_CREATED,
            headers={"Location": request.build_absolute_uri(path)},
        )


class TokenView(APIView):
    """One token."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002 -- the path's name
        """End the token, and the sockets that it opened."""
        key = ids.decode(id)
        # One by one: the deletion of each tells its sockets.
        for token in AuthToken.objects.filter(user=_user(request), details__pk=key or 0):
            token.delete()
            return Response(status=status.HTTP_204_NO_CONTENT)
        raise Http404


def _user(request: Request) -> User:
    """Return the user as the database has it: a token's user is not read whole."""
    return User.objects.get(pk=cast(User, request.user).pk)


def _still_stands(request: Request) -> bool:
    """Return whether the session or token of this request would be let in now, too."""
    user = cast(User, request.user)
    if not User.objects.filter(pk=user.pk, password=user.password, is_active=True).exists():
        return False
    if isinstance(request.auth, AuthToken):
        return bool(AuthToken.objects.filter(pk=request.auth.pk).exists())
    session = request._request.session
    return session.session_key is None or session.exists(session.session_key)


def _check(request: Request, user: User, password: str) -> None:
    """Compare the present password; guesses are limited as guesses at a login are."""
    try:
        attempt = logins.attempt(request._request, user.get_username())
    except logins.LoginRefusedError as error:
        raise LimitExceeded(error.result) from error
    with attempt:
        if not user.check_password(password):
            raise serializers.ValidationError({"current_password": ["This is not your password."]})
        attempt.succeeded()
