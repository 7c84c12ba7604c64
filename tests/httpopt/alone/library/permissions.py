from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


class ByName(BaseAuthentication):
    """Authenticates by ``Authorization: Name <name>``."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, name = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if name == "nobody":
            raise AuthenticationFailed
        return User(pk=sum(map(ord, name)), username=name), None

    def authenticate_header(self, request: Request) -> str:
        return "Name"


class Named(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated) and request.user.username != "forbidden"


class NotTooMuch(BaseThrottle):
    def allow_request(self, request: Request, view: Any) -> bool:
        return "HTTP_X_TOO_MUCH" not in request.META
