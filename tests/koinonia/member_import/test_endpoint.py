"""The endpoint ``POST …/members/import/``."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from rest_framework.test import APIClient

from delivery.models import OptOut
from koinonia.models import Church, Member

URL = "/api/v1/churches/grace/members/import/"
HEADER = b"first_name,last_name,phone,groups\n"
SHAPE = ["created", "updated", "skipped", "errors", "new_groups", "ignored_columns"]


def upload(content: bytes, name: str = "members.csv", **about: Any) -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, content, **about)}


def test_the_endpoint_accepts_a_form_or_a_raw_body(sender: APIClient, grace: Church) -> None:
    content = HEADER + b"Ann,Lee,3125550101,Choir\nA,B,bad,\n"
    answer = sender.post(URL, content, content_type="text/csv")
    assert answer.status_code == 200
    report = answer.json()
    assert list(report) == SHAPE
    assert (report["created"], report["new_groups"]) == (1, ["Choir"])
    assert [list(error) for error in report["errors"]] == [["line", "error"]]
    assert report["errors"][0]["line"] == 3
    again = sender.post(URL, upload(content), format="multipart")
    assert again.json()["skipped"] == 1


@pytest.mark.parametrize("dry_run", ["1", "true", ""])
def test_a_dry_run_writes_nothing(sender: APIClient, grace: Church, dry_run: str) -> None:
    content = HEADER + b"Ann,Lee,3125550101,Choir\n"
    preview = sender.post(f"{URL}?dry_run={dry_run}", content, content_type="text/csv").json()
    assert (preview["created"], preview["new_groups"]) == (1, ["Choir"])
    assert not Member.objects.exists()
    assert sender.post(URL, content, content_type="text/csv").json() == preview


def test_an_invalid_dry_run_parameter_writes_nothing(sender: APIClient, grace: Church) -> None:
    content = HEADER + b"Ann,Lee,3125550101,\n"
    answer = sender.post(f"{URL}?dry_run=maybe", content, content_type="text/csv")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["dry_run"])
    assert not Member.objects.exists()


WESTERN = HEADER + "José,Muñoz,3125550101,\n".encode("cp1252")


def test_an_undeclared_encoding_is_rejected_with_names_and_the_guess(
    sender: APIClient, grace: Church
) -> None:
    answer = sender.post(URL, WESTERN, content_type="text/csv")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    sentence = answer.json()["errors"]["encoding"][0]
    assert "windows-1252" in sentence
    assert "José Muñoz" in sentence
    assert not Member.objects.exists()


@pytest.mark.parametrize(
    "call",
    [
        {"path": f"{URL}?encoding=windows-1252", "data": WESTERN, "content_type": "text/csv"},
        {"path": URL, "data": WESTERN, "content_type": "text/csv; charset=windows-1252"},
        {"path": URL, "data": WESTERN, "content_type": 'text/csv; charset="ISO-8859-1"'},
        {
            "path": f"{URL}?encoding=cp1252",
            "data": WESTERN,
            "content_type": "text/csv; charset=utf-8",
        },
        {
            "path": URL,
            "data": upload(WESTERN, content_type="text/csv; charset=windows-1252"),
            "format": "multipart",
        },
    ],
)
def test_a_declared_encoding_is_used(
    sender: APIClient, grace: Church, call: dict[str, Any]
) -> None:
    for value in call["data"].values() if isinstance(call["data"], dict) else ():
        value.seek(0)
    assert sender.post(**call).status_code == 200
    assert Member.objects.get().name == "José Muñoz"


@pytest.mark.parametrize("form", [True, False])
def test_the_name_of_the_file_counts(sender: APIClient, grace: Church, form: bool) -> None:
    name = "unsubscribed_members_export_1.csv"
    content = HEADER + b"Ann,Lee,3125550101,\n"
    if form:
        sender.post(URL, upload(content, name), format="multipart")
    else:
        sender.post(
            URL, content, content_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )  # fmt: skip
    assert OptOut.objects.get().number == "+13125550101"


def test_the_endpoint_limits_the_size(sender: APIClient, grace: Church) -> None:
    huge = sender.post(URL, HEADER + b" " * 5_300_000, content_type="text/csv")
    assert (huge.status_code, huge["Content-Type"]) == (413, "application/problem+json")
    assert "5 MB" in huge.json()["detail"]
    assert sender.post(URL, {"other": "x"}, format="multipart").status_code == 400
    assert sender.post(URL, {"file": "x"}, format="json").status_code == 415


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"%PDF-1.7", "PDF"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"), (b"", "empty")],
)
def test_the_error_names_an_unsupported_format(
    sender: APIClient, grace: Church, content: bytes, sentence: str
) -> None:
    answer = sender.post(URL, upload(content or b"\n"), format="multipart")
    assert answer.status_code == 400
    assert sentence in answer.json()["errors"]["file"][0]


def test_viewers_and_strangers_cannot_import(viewer: APIClient, grace: Church) -> None:
    content = HEADER + b"Ann,Lee,3125550101,\n"
    assert viewer.post(f"{URL}?dry_run=1", content, content_type="text/csv").status_code == 403


def test_the_schema_describes_request_and_answer() -> None:
    schema = StringIO()
    call_command("spectacular", "--format", "openapi-json", stdout=schema)
    text = schema.getvalue()
    start = text.index('"/api/v1/churches/{church}/members/import/"')
    operation = text[start : text.index('"/api/v1/', start + 10)]
    assert '"text/csv"' in operation
    assert '"binary"' not in operation
    assert '"dry_run"' in operation
    assert '"encoding"' in operation
