from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from koinonia.api.browsable import NOWHERE


@extend_schema(exclude=True)
class NoSuchPathView(APIView):
    """404 as a problem for every path of the API that is none."""

    name = NOWHERE
    permission_classes = [AllowAny]

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not request.path.endswith("/"):
            raise NotFound("There is nothing at this path. All paths of the API end in a slash.")
        raise Http404

    options = http_method_not_allowed
