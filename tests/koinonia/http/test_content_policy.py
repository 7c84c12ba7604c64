"""The content policy of an answer: built once, unless a view changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from csp.decorators import csp_exempt, csp_update
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from koinonia.http.middleware import ConstantPolicyMiddleware

HEADER = "Content-Security-Policy"
View = Callable[[HttpRequest], HttpResponseBase]


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def with_own_policy(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={HEADER: "default-src 'none'"})


def with_nonce(request: HttpRequest) -> HttpResponse:
    request._csp_nonce = "peace"  # type: ignore[attr-defined] # as django-csp keeps it
    return HttpResponse()


with_images = csp_update({"img-src": ["https://images.example"]})(plain)
VIEWS: dict[str, View] = {
    "plain": plain,
    "exempt": csp_exempt()(plain),
    "with images": with_images,
    "with its own policy": with_own_policy,
    "with a nonce": with_nonce,
}


@pytest.mark.parametrize("kind", VIEWS)
def test_the_policy_is_that_of_the_library(kind: str) -> None:
    view = VIEWS[kind]
    assert _policy(ConstantPolicyMiddleware, view) == _policy(CSPMiddleware, view)


def test_a_changed_policy_does_not_stay() -> None:
    assert "images.example" in (_policy(ConstantPolicyMiddleware, with_images) or "")
    assert "images.example" not in (_policy(ConstantPolicyMiddleware, plain) or "")


def _policy(middleware: type[CSPMiddleware], view: View) -> str | None:
    answer = cast(HttpResponse, middleware(view)(HttpRequest()))
    return answer.get(HEADER)
