from __future__ import annotations

from typing import Any, ClassVar

from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from httpopt.cache import PRIVATE, CachePolicy


class CachePolicyMixin(APIView):
    """``cache_policy`` on every 200 and 304; what else a view answers is never stored."""

    cache_policy: ClassVar[CachePolicy] = PRIVATE

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method in ("GET", "HEAD") and response.status_code in (200, 304):
            user = getattr(request, "_user", None)
            authenticated = user is not None and user.is_authenticated
            self.cache_policy.apply(response, authenticated=authenticated)
            patch_vary_headers(response, self._varies_by())
        return response

    def _varies_by(self) -> list[str]:
        """What may change who is asking, or in which form.

        Not ``Authorization`` where each use is asked for again, and the tag tells who it is for:
        RFC 9110, 12.5.5, sees no need for it.
        """
        return ["Accept", "Cookie", *(["Authorization"] if self.cache_policy.max_age else [])]
