"""The browsable API: every operation answers with a page, for any body."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from koinonia.models import Church, Member
from tests.httpopt.church_data import fill_church
from tests.koinonia.api.test_methods_and_accept import paths

JSON = "application/json"
BODIES: list[tuple[str, str, dict[str, str]]] = [
    ("", "", {}),
    (JSON, "{}", {}),
    (JSON, '{"first_name":"Ann","phone":"+13125550188"}', {}),
    (JSON, "{", {}),
    ("application/xml", "<a/>", {}),
    ("nonsense", "a", {}),
    (JSON, "{}", {"Content-Encoding": "compress"}),
    (JSON, "{}", {"Content-Encoding": "gzip"}),
    ("multipart/form-data; boundary=b", "--b\r\n", {}),
    ("text/csv", "first_name,phone\nAnn,+13125550188\n", {}),
]  # fmt: skip


def _asked() -> list[Any]:
    return [
        pytest.param(method, path, id=f"{method} {path}")
        for path, has in paths()
        for method in sorted(has & {"GET", "POST", "PATCH", "DELETE"})
        if not path.endswith(("/events/", "/export/")) and "logout" not in path
    ]


@pytest.mark.parametrize(("method", "path"), _asked())
def test_every_answer_can_be_shown_as_a_page(
    owner: APIClient, grace: Church, grace_owner: User, anna: Member, method: str, path: str
) -> None:
    fill_church(grace, grace_owner)
    owner.raise_request_exception = False
    for content_type, body, headers in BODIES if method in ("POST", "PATCH") else BODIES[:1]:
        answer = owner.generic(
            method, path, body, content_type, headers={**headers, "Accept": "text/html"}
        )
        assert answer.status_code < 500, (content_type, body, headers)
        assert answer.status_code == 204 or answer["Content-Type"].startswith("text/html")
