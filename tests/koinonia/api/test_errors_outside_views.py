"""Errors outside views are problems below ``/api/`` and pages elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.test import Client

ME = "/api/v1/me/"
_FAILURES = {
    "/": RuntimeError("secret"),
    "bad": BadRequest("secret"),
    "denied": PermissionDenied("secret"),
    "gone": Http404("secret"),
    "large": RequestDataTooBig("secret"),
    "multipart": MultiPartParserError("secret"),
}


def failing(get_response: Any) -> Any:
    """Return a middleware that raises the error that the query names."""

    def handle(request: HttpRequest) -> HttpResponse:
        if failure := _FAILURES.get(request.GET.get("fail", "")):
            raise failure
        return HttpResponse("untouched")

    return handle


@pytest.fixture
def client(settings: Any) -> Client:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.failing"]
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("fail", "status"),
    [("/", 500), ("bad", 400), ("denied", 403), ("gone", 404), ("large", 413), ("multipart", 400)],
)
def test_a_failing_middleware_is_a_problem_in_the_api(
    db: None, client: Client, fail: str, status: int
) -> None:
    answer = client.get(ME, {"fail": fail})
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (answer["Cache-Control"], answer.json()["status"]) == ("no-store", status)
    assert sorted(answer.json()) == ["detail", "status", "title", "type"]
    assert b"secret" not in answer.content


@pytest.mark.parametrize("fail", ["/", "bad", "denied", "gone"])
def test_outside_the_api_an_error_is_a_page(db: None, client: Client, fail: str) -> None:
    answer = client.get("/somewhere/", {"fail": fail})
    assert answer["Content-Type"].startswith("text/html")


def test_a_foreign_host_is_a_problem(db: None, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["koinonia.example"]
    answer = Client(raise_request_exception=False).get(ME, headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer["Cache-Control"] == "no-store"
    assert b"evil" not in answer.content


def test_an_unreadable_form_is_bad_input_even_in_the_csrf_check(
    grace_owner: User,
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(grace_owner)
    client.cookies["csrftoken"] = "x" * 32
    answer = client.post(
        "/api/v1/churches/grace/members/import/", b"no parts", content_type="multipart/form-data"
    )
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
