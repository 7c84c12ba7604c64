"""Write the rate limit headers of every answer, and refund requests that cost nothing."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from throttling import responses
from throttling.charges import ThrottleResult


class RateLimitHeadersMiddleware(MiddlewareMixin):
    """Writes the header fields of ``request.throttle``.

    A 304, the replay of an earlier answer (``Idempotent-Replayed: true``) and a failure of ours (5xx)
    refund the charge. A refusal refunds policies with ``accepted_only``. Place this middleware above the ones that make
    such answers, that is, above the middleware that answers conditional requests.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        result = result_of(request)
        if result is not None:
            _settle(result, response)
            _write(result, response)
        return response

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer on the event loop; only a refund needs a thread, because it waits for Redis."""
        response: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]  # async
        result = result_of(request)
        if result is not None:
            if _must_settle(result, response):
                await sync_to_async(_settle)(result, response)
            _write(result, response)
        return response


def result_of(request: HttpRequest) -> ThrottleResult | None:
    """Return the decision about this request, or None if nothing limited it."""
    result: ThrottleResult | None = getattr(request, "throttle", None)
    return result


def _costs_nothing(response: HttpResponseBase) -> bool:
    failed_here = response.status_code >= 500
    is_cheap = response.status_code == 304
    return failed_here or is_cheap or response.headers.get("Idempotent-Replayed") == "true"


def _settle(result: ThrottleResult, response: HttpResponseBase) -> None:
    if _costs_nothing(response):
        result.give_back()
    else:
        result.settle(accepted=response.status_code < 400)


def _must_settle(result: ThrottleResult, response: HttpResponseBase) -> bool:
    return bool(result.spent) or _costs_nothing(response) or response.status_code >= 400


def _write(result: ThrottleResult, response: HttpResponseBase) -> None:
    for name, value in responses.fields(result).items():
        response.headers[name] = value
