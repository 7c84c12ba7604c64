"""Templates and uploaded files: stored, bounded, shown, sent and deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Message
from koinonia import retention
from koinonia.media import storage
from koinonia.models import Attachment, Broadcast, Church, Group, Member, TextTemplate

G = "/api/v1/churches/grace/"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 10


def upload(client: APIClient, content: bytes = PNG, name: str = "choir.png") -> Any:
    return client.post(
        f"{G}media/", {"file": SimpleUploadedFile(name, content)}, format="multipart"
    )


def test_a_template_is_made_edited_with_its_version_and_deleted(
    sender: APIClient, grace: Church
) -> None:
    body = {"name": " Sunday  service ", "text": "Hi {first_name}, come on Sunday!"}
    made = sender.post(f"{G}templates/", body, format="json")
    assert (made.status_code, made.json()["name"]) == (201, "Sunday service")
    path = made["Location"]
    changed = sender.patch(
        path, {"text": "Come!"}, format="json", headers={"If-Match": made.json()["etag"]}
    )
    assert (changed.status_code, changed.json()["text"]) == (200, "Come!")
    stale = sender.patch(
        path, {"text": "No"}, format="json", headers={"If-Match": made.json()["etag"]}
    )
    assert stale.status_code == 412
    assert [one["name"] for one in sender.get(f"{G}templates/").json()["results"]] == [
        "Sunday service"
    ]
    assert sender.delete(path).status_code == 204
    assert not TextTemplate.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "SUNDAY", "text": "Hi"}, "name"),
        ({"name": "Monday", "text": "Hi {firstname}"}, "text"),
        ({"name": "\u200b", "text": "Hi"}, "name"),
        ({"name": "Monday", "text": " "}, "text"),
        ({"name": "Monday", "text": "x" * 1601}, "text"),
    ],
)
def test_a_bad_template_is_refused_by_field(
    sender: APIClient, grace: Church, body: dict[str, str], field: str
) -> None:
    TextTemplate.objects.create(church=grace, name="Sunday", text="Come")
    refused = sender.post(f"{G}templates/", body, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    assert TextTemplate.objects.count() == 1


def test_a_church_has_a_bounded_number_of_templates(sender: APIClient, grace: Church) -> None:
    TextTemplate.objects.bulk_create(
        TextTemplate(church=grace, name=f"T{number}", key=f"t{number}", text="Hi")
        for number in range(200)
    )
    refused = sender.post(f"{G}templates/", {"name": "More", "text": "Hi"}, format="json")
    assert refused.json()["errors"] == {
        "name": ["There are 200 templates, the most there can be. Delete one first."]
    }


def test_an_uploaded_file_is_served_by_its_url_alone_and_goes_out_with_a_text(
    sender: APIClient, anna: Member
) -> None:
    made = upload(sender)
    assert (made.status_code, made.json()["type"], made.json()["size"]) == (201, "image/png", 78)
    url = made.json()["url"]
    served = Client().get(url.partition("://")[2].partition("/")[2].join(["/", ""]))
    assert (served.status_code, served.content, served["Content-Type"]) == (200, PNG, "image/png")
    assert served["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert served["X-Content-Type-Options"] == "nosniff"
    assert Client().get("/media/guessed.png").status_code == 404
    body = {"member": "x", "text": "Look", "media_urls": [url]}
    body["member"] = sender.get(f"{G}members/").json()["results"][0]["id"]
    assert sender.post(f"{G}messages/", body, format="json").status_code == 202
    assert Message.objects.get().media_urls == [url]


def test_the_same_file_is_stored_once(sender: APIClient, grace: Church) -> None:
    first, second = upload(sender).json(), upload(sender, name="other.png").json()
    assert first == second
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The submitted file is empty."),
        (b"<html><script>", "Phones cannot show this file."),
        (b"....ftypheic", "HEIC"),
        (b"RIFF....WEBPVP8 ", "WebP"),
        (PNG + b"x" * 1_000_000, "larger than 1 MB"),
    ],
)
def test_an_unusable_file_is_refused_with_what_to_do(
    sender: APIClient, grace: Church, content: bytes, sentence: str
) -> None:
    refused = upload(sender, content)
    assert refused.status_code == 400
    if content:
        assert sentence in refused.json()["errors"]["file"][0]
    assert not Attachment.objects.exists()


def test_the_files_of_a_church_are_bounded(
    sender: APIClient, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "MAX_CHURCH_BYTES", 100)
    assert upload(sender).status_code == 201
    assert "100 MB" in upload(sender, PNG + b"!").json()["errors"]["file"][0]


def test_a_used_file_is_kept_after_the_text_is_due_and_an_unused_one_is_deleted(
    sender: APIClient, anna: Member
) -> None:
    used, unused = upload(sender).json()["url"], upload(sender, PNG + b"2").json()["url"]
    due = timezone.now() + timedelta(days=100)
    body = {
        "text": "Look", "audience": {"all": True}, "media_urls": [used], "send_at": due.isoformat(),
    }  # fmt: skip
    assert sender.post(f"{G}broadcasts/", body, format="json").status_code == 202
    counted = dict(retention.prune(due + timedelta(days=80)))
    assert counted["media"] == 1
    assert Attachment.objects.get().token in used
    refused = sender.post(f"{G}broadcasts/", {**body, "media_urls": [unused]}, format="json")
    assert refused.json()["errors"] == {
        "media_urls": ["This file is no longer stored. Upload it again."]
    }
    assert Broadcast.objects.count() == 1


def test_a_broadcast_with_media_is_one_part_at_any_length(
    sender: APIClient, anna: Member, ben: Member
) -> None:
    url = upload(sender).json()["url"]
    body = {"text": "é" * 1500, "audience": {"all": True}, "media_urls": [url]}
    shown = sender.post(f"{G}broadcasts/preview/", body, format="json").json()
    assert (shown["people"], shown["parts"], shown["left_out"]) == (2, 2, [])
    assert sender.post(f"{G}broadcasts/", body, format="json").status_code == 202
    assert [(one.media_urls, one.parts) for one in Message.objects.all()] == [([url], 1)] * 2


def test_a_foreign_or_private_url_is_refused_before_anything_is_written(
    sender: APIClient, anna: Member
) -> None:
    for url in ("http://127.0.0.1/x.png", "http://127.0.0.1:8000/admin/", "https://a@b.org/x.png"):
        body = {"text": "Look", "audience": {"all": True}, "media_urls": [url]}
        refused = sender.post(f"{G}broadcasts/", body, format="json")
        assert list(refused.json()["errors"]) == ["media_urls"], url
    assert not Broadcast.objects.exists()


def test_members_of_an_excluded_group_get_no_text(
    sender: APIClient, grace: Church, anna: Member, ben: Member
) -> None:
    choir = sender.post(f"{G}groups/", {"name": "Choir"}, format="json").json()["id"]
    anna.groups.add(grace.groups.get())
    audience = {"all": True, "exclude_groups": [choir]}
    made = sender.post(f"{G}broadcasts/", {"text": "Hi", "audience": audience}, format="json")
    assert (made.status_code, made.json()["audience"]) == (202, audience)
    assert [one.recipient_id for one in Message.objects.all()] == [ben.pk]
    nobody = {"groups": [choir], "exclude_groups": [choir]}
    refused = sender.post(f"{G}broadcasts/", {"text": "Hi", "audience": nobody}, format="json")
    assert refused.json()["errors"] == {"audience": ["This audience is empty."]}


def test_deleting_an_excluded_group_cancels_the_scheduled_broadcast(
    sender: APIClient, grace: Church, anna: Member, ben: Member
) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    anna.groups.add(choir)
    group = sender.get(f"{G}groups/").json()["results"][0]["id"]
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    body = {
        "text": "Hi", "audience": {"all": True, "exclude_groups": [group]}, "send_at": later,
    }  # fmt: skip
    made = sender.post(f"{G}broadcasts/", body, format="json").json()
    assert (made["status"], made["total"]) == ("scheduled", 1)
    gone = sender.delete(f"{G}groups/{group}/")
    assert gone["Cancelled-Broadcasts"] == "1"
    assert sender.get(f"{G}broadcasts/{made['id']}/").json()["status"] == "cancelled"


def test_a_preview_shows_the_text_of_three_members_and_when_the_last_one_leaves(
    sender: APIClient, grace: Church, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "SENDER_RATE": 2}
    Member.objects.bulk_create(
        Member(church=grace, first_name=f"M{number}", phone=f"+1312555{number:04}")
        for number in range(10)
    )
    at = (timezone.now() + timedelta(hours=1)).replace(microsecond=0)
    body = {"text": "Hi {first_name}", "audience": {"all": True}, "send_at": at.isoformat()}
    shown = sender.post(f"{G}broadcasts/preview/", body, format="json").json()
    assert [one["text"] for one in shown["examples"]] == ["Hi M0", "Hi M1", "Hi M2"]
    assert (shown["seconds"], shown["done_at"]) == (
        5,
        f"{at + timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}",
    )
