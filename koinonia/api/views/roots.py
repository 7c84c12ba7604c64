"""The roots of the API: links to everything else, for a person or a program that begins here."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from koinonia.api.operations import OPERATIONS

_VERSION = "v1/"


@extend_schema(exclude=True)
class RootView(APIView):
    """The HTTP API of this system. Begin with the documentation, or with `v1`."""

    name = "API"
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        here = request.build_absolute_uri(reverse("api:root"))
        return Response(
            {
                "v1": f"{here}{_VERSION}",
                "documentation": f"{here}docs/",
                "schema": f"{here}schema/",
            }
        )


@extend_schema(exclude=True)
class VersionRootView(APIView):
    """Begin with `auth/login/`. `church` holds the paths of one church: write its slug for `{church}`."""

    name = "Version 1"
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        root = request.build_absolute_uri(reverse("api:root"))
        here = f"{root}{_VERSION}"
        church = f"{here}churches/{{church}}/"
        answer: dict[str, Any] = {
            _name(path): f"{here}{path}"
            for path in OPERATIONS
            if not path.startswith("…") and "{" not in path
        }
        answer["church"] = {
            _name(path[2:]) or "self": f"{church}{path[2:]}"
            for path in OPERATIONS
            if path.startswith("…") and "{" not in path
        }
        return Response({**answer, "documentation": f"{root}docs/", "schema": f"{root}schema/"})


def _name(path: str) -> str:
    return path.strip("/").replace("/", "_").replace("-", "_")
