"""The account of the present user: password, tokens, logging out everywhere."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError as PasswordError
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from koinonia import ids
from koinonia.accounts import keys, passwords, tokens
from koinonia.api.key_scopes import InScope
from koinonia.api.pagination import single_page, single_page_schema
from koinonia.api.schema import refusal
from koinonia.api.serializers.accounts import (
    MadeTokenSerializer,
    NewTokenSerializer,
    PasswordSerializer,
    TokenSerializer,
)
from throttling import logins
from throttling.drf import LimitExceeded

_TOO_MANY_GUESSES = refusal(429, "Too many guesses of the current password.")


class PasswordView(APIView):
    """The password of the user."""

    permission_classes = [InScope]

    @extend_schema(request=PasswordSerializer, responses={204: None, **_TOO_MANY_GUESSES})
    def post(self, request: Request) -> Response:
        """Change the password. Every session, token, ticket and socket ends, this one too."""
        given = PasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = _user(request)
        _check_password(request, user, given.validated_data["current_password"])
        try:
            passwords.change(user, given.validated_data["new_password"])
        except PasswordError as error:
            raise serializers.ValidationError({"new_password": list(error.messages)}) from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutEverywhereView(APIView):
    """The end of all logins."""

    permission_classes = [InScope]

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End every session, token, ticket and socket of the user, this one too."""
        passwords.log_out_everywhere(_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokensView(APIView):
    """API keys and logins of the user: at most 20 keys, and the 25 newest logins."""

    permission_classes = [InScope]

    @extend_schema(responses=single_page_schema("TokensPage", TokenSerializer))
    def get(self, request: Request) -> Response:
        """List the valid keys and logins, newest first, without the secret tokens themselves."""
        found = TokenSerializer(tokens.valid_tokens(_user(request)), many=True).data
        return single_page(found)

    @extend_schema(request=NewTokenSerializer, responses={201: MadeTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make an API key for a program. The answer is the only one that contains `token`."""
        user = _user(request)
        given = NewTokenSerializer(data=request.data, context={"user": user})
        given.is_valid(raise_exception=True)
        try:
            made, secret = keys.make(
                user,
                **given.validated_data,
                still_valid=lambda: _is_still_valid(request),
            )
        except keys.LoginEndedError:
            raise AuthenticationFailed("This login has ended.") from None
        except keys.TooManyKeysError:
            sentence = f"You have {keys.MAX_KEYS} API keys already: delete one first."
            raise serializers.ValidationError({"non_field_errors": [sentence]}) from None
        made.token = secret
        path = reverse("api:my-token", args=[ids.encode(made.details.pk)])
        return Response(
            MadeTokenSerializer(made).data,
            status=status.HTTP_201_CREATED,
            headers={"Location": request.build_absolute_uri(path)},
        )


class TokenView(APIView):
    """A token of the user."""

    permission_classes = [InScope]

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002 -- the path's name
        """End the token and the sockets that it opened."""
        if keys.end(_user(request), ids.decode(id)):
            return Response(status=status.HTTP_204_NO_CONTENT)
        raise Http404


def _user(request: Request) -> User:
    """Return the complete row of the user; the user of a token has only some columns."""
    return User.objects.get(pk=cast(User, request.user).pk)


def _is_still_valid(request: Request) -> bool:
    """Return whether the session or token of this request is still valid."""
    user = cast(User, request.user)
    if not User.objects.filter(pk=user.pk, password=user.password, is_active=True).exists():
        return False
    if isinstance(request.auth, AuthToken):
        return bool(AuthToken.objects.filter(pk=request.auth.pk).exists())
    session = request._request.session
    return session.session_key is None or session.exists(session.session_key)


def _check_password(request: Request, user: User, password: str) -> None:
    """Check the present password, under the same limits as a login."""
    try:
        attempt = logins.attempt(request._request, user.get_username())
    except logins.LoginRefusedError as error:
        raise LimitExceeded(error.result) from error
    with attempt:
        if not user.check_password(password):
            raise serializers.ValidationError({"current_password": ["This is not your password."]})
        attempt.succeeded()
