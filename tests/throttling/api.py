"""A small API with limits, apart from the project's API."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.contrib.auth import authenticate
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from throttling import logins, responses
from throttling.drf import PolicyThrottle


class Key:
    """A token as knox stores it in ``request.auth``."""

    def __init__(self, token_key: str) -> None:
        self.token_key = token_key


class TestUser:
    is_authenticated = True

    def __init__(self, pk: str) -> None:
        self.pk = pk


class BearerName(BaseAuthentication):
    """Authenticates ``Bearer grace`` as the user grace, and refuses ``Bearer bad``."""

    def authenticate(self, request: Request) -> tuple[TestUser, Key] | None:
        scheme, _, name = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return None
        if name == "bad":
            raise AuthenticationFailed("No such token.")
        return TestUser(name), Key(f"key-of-{name}")

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class StaffOfGrace(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        if view.kwargs.get("church", "grace") != "grace":
            raise Http404
        return True


class Limited(APIView):
    authentication_classes = [BearerName]
    permission_classes = [IsAuthenticated, StaffOfGrace]
    throttle_classes = [PolicyThrottle]
    throttle_policies: Mapping[str, tuple[str, ...]] = {"POST": ("messages", "broadcasts")}

    def get_throttle_costs(self, request: Request) -> Mapping[str, int]:
        return {"messages": int(request.query_params.get("cost", 1))}

    def get(self, request: Request, **_kwargs: str) -> HttpResponse:
        if "If-None-Match" in request.headers:
            return HttpResponse(status=304)
        return Response({"hello": "there"})

    def post(self, request: Request, **_kwargs: str) -> Response:
        if failed := request.query_params.get("fail"):
            return Response(status=int(failed))
        replayed = "Idempotency-Key" in request.headers
        return Response(headers={"Idempotent-Replayed": "true"} if replayed else {})


class Open(Limited):
    """A view that needs no credential."""

    permission_classes = []


def sign_in(request: HttpRequest) -> HttpResponse:
    """Log in as an API client does, without DRF."""
    username = request.POST.get("username", "")
    try:
        attempt = logins.attempt(request, username)
    except logins.LoginRefusedError as refused:
        return responses.refusal(refused.result)
    if authenticate(request, username=username, password=request.POST.get("password")) is None:
        return JsonResponse({"detail": "Wrong user name or password."}, status=401)
    attempt.succeeded()
    return JsonResponse({})


urlpatterns = [
    path("limited/", Limited.as_view()),
    path("open/", Open.as_view()),
    path("churches/<slug:church>/", Limited.as_view()),
    path("api/login/", sign_in),
    path("login/", logins.guarded(LoginView.as_view(template_name="admin/login.html"))),
    path("admin/login/", logins.guarded(admin.site.login)),
    path("admin/", admin.site.urls),
]
