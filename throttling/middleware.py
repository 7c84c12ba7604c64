"""Tells clients where they stand, and gives back what cost nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from throttling import headers
from throttling.verdict import Verdict

Respond = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class RateLimitHeadersMiddleware:
    """Writes the fields of ``request.throttle`` on the answer.

    A 304, and the replay of an earlier answer (``Idempotent-Replayed: true``), give the charge
    back; a refusal does so to policies that count ``accepted_only``. So this stands outside of whatever makes those: place it above the middleware that answers
    conditional requests.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._acall(request)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101  # what is_async says
        verdict = verdict_of(request)
        if verdict is not None:
            _settle(verdict, response)
            _write(verdict, response)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        assert not isinstance(response, HttpResponseBase)  # noqa: S101  # what is_async says
        response = await response
        verdict = verdict_of(request)
        if verdict is not None:
            if _has_to_settle(verdict, response):
                await sync_to_async(_settle)(verdict, response)
            _write(verdict, response)
        return response


def verdict_of(request: HttpRequest) -> Verdict | None:
    """What the limits said to this request, where they were asked."""
    verdict: Verdict | None = getattr(request, "throttle", None)
    return verdict


def cost_nothing(response: HttpResponseBase) -> bool:
    return response.status_code == 304 or response.headers.get("Idempotent-Replayed") == "true"


def _settle(verdict: Verdict, response: HttpResponseBase) -> None:
    if cost_nothing(response):
        verdict.give_back()
    else:
        verdict.settle(accepted=response.status_code < 400)


def _has_to_settle(verdict: Verdict, response: HttpResponseBase) -> bool:
    return bool(verdict.spent) or cost_nothing(response) or response.status_code >= 400


def _write(verdict: Verdict, response: HttpResponseBase) -> None:
    for name, value in headers.fields(verdict).items():
        response.headers[name] = value
