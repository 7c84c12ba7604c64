"""Changes of scheduled texts and broadcasts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Message
from delivery.statuses import Status
from koinonia.broadcasts.due import accept_due
from koinonia.ids import decode, encode
from koinonia.models import Broadcast, Church, Group, Member
from tests.koinonia.due.conftest import G, Tomorrow, events
from tests.support import cast

pytestmark = pytest.mark.django_db(transaction=True)


def in_days(days: float) -> str:
    return (timezone.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_words_of_a_scheduled_text_change(tomorrow: Tomorrow, anna: Member) -> None:
    made = tomorrow.text(member=encode(anna.pk))
    answer = tomorrow.client.patch(
        f"{G}messages/{made['id']}/", {"text": "Bring {first_name}"}, format="json"
    )
    assert answer.status_code == 200
    assert (answer.json()["text"], answer.json()["status"]) == ("Bring Anna", "scheduled")
    Member.objects.filter(pk=anna.pk).update(first_name="Ann")
    assert tomorrow.comes() == {(anna.phone, "Bring Ann")}


def test_a_moved_text_goes_at_its_new_time_and_tells_the_page(
    tomorrow: Tomorrow, anna: Member
) -> None:
    made = tomorrow.text("Hello", member=encode(anna.pk))
    answer = tomorrow.client.patch(
        f"{G}messages/{made['id']}/", {"send_at": in_days(3)}, format="json"
    )
    assert answer.status_code == 200
    assert answer.json()["scheduled_at"] > made["scheduled_at"]
    assert answer.json()["expires_at"] > made["expires_at"]
    assert [event["status"] for event in events("message.status")] == ["scheduled"]
    assert tomorrow.comes() == set()
    tomorrow.at = timezone.now() + timedelta(days=3, minutes=1)
    assert tomorrow.comes() == {(anna.phone, "Hello")}


def test_null_sends_now(tomorrow: Tomorrow, anna: Member) -> None:
    text = tomorrow.text("One", member=encode(anna.pk))
    broadcast = tomorrow.broadcast("Two")
    for path in (f"messages/{text['id']}/", f"broadcasts/{broadcast['id']}/"):
        answer = tomorrow.client.patch(G + path, {"send_at": None}, format="json")
        assert answer.status_code == 200, answer.json()
    tomorrow.at = timezone.now()
    assert tomorrow.comes() == {(anna.phone, "One"), (anna.phone, "Two")}


def test_a_broadcast_takes_other_words_people_and_time(
    tomorrow: Tomorrow, choir: Group, ben: Member
) -> None:
    made = tomorrow.broadcast(groups=[encode(choir.pk)])
    body = {"text": "Hi {first_name}", "audience": {"members": [encode(ben.pk)]}}
    answer = tomorrow.client.patch(f"{G}broadcasts/{made['id']}/", body, format="json")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["text"], shown["total"], shown["status"]) == ("Hi {first_name}", 1, "scheduled")
    assert shown["audience"] == body["audience"]
    assert events("broadcast.progress")[-1]["counts"] == {"scheduled": 1}
    assert tomorrow.comes() == {(ben.phone, "Hi Ben")}


@pytest.mark.parametrize("kind", ["messages", "broadcasts"])
def test_it_is_too_late_once_a_worker_has_it(tomorrow: Tomorrow, anna: Member, kind: str) -> None:
    if kind == "messages":
        made = tomorrow.text("Hello", member=encode(anna.pk))
        Message.objects.update(status=Status.QUEUED)
    else:
        made = tomorrow.broadcast("Hello")
        assert accept_due(tomorrow.at)
    answer = tomorrow.client.patch(f"{G}{kind}/{made['id']}/", {"text": "Bye"}, format="json")
    assert answer.status_code == 409
    assert tomorrow.look(kind, made)["text"] == "Hello"


@pytest.mark.parametrize("kind", ["messages", "broadcasts"])
def test_a_stale_change_is_refused(tomorrow: Tomorrow, anna: Member, kind: str) -> None:
    make = tomorrow.text if kind == "messages" else tomorrow.broadcast
    made = make("Hello", **({"member": encode(anna.pk)} if kind == "messages" else {}))
    path = f"{G}{kind}/{made['id']}/"
    read = tomorrow.client.get(path)["ETag"]
    first = tomorrow.client.patch(path, {"text": "One"}, format="json", headers={"If-Match": read})
    assert first.status_code == 200
    second = tomorrow.client.patch(path, {"text": "Two"}, format="json", headers={"If-Match": read})
    assert second.status_code == 412
    third = tomorrow.client.patch(
        path, {"text": "Three"}, format="json", headers={"If-Match": first["ETag"]}
    )
    assert third.status_code == 200
    assert first["ETag"] != read
    assert tomorrow.client.get(path).json()["text"] == "Three"


def test_what_cannot_be_sent_changes_nothing(
    tomorrow: Tomorrow, grace: Church, anna: Member
) -> None:
    made = tomorrow.text("Hello", member=encode(anna.pk))
    many = tomorrow.broadcast("Hello")
    empty = Group.objects.create(church=grace, name="Empty")
    bad = [
        (f"messages/{made['id']}/", {"text": " "}, "text"),
        (f"messages/{made['id']}/", {"text": "x" * 1601}, "text"),
        (f"messages/{made['id']}/", {"text": "Dear {nmae}"}, "text"),
        (f"messages/{made['id']}/", {"send_at": in_days(-1)}, "send_at"),
        (f"messages/{made['id']}/", {"to": anna.phone}, "to"),
        (f"broadcasts/{many['id']}/", {"text": ""}, "text"),
        (f"broadcasts/{many['id']}/", {"audience": {"groups": [encode(empty.pk)]}}, "audience"),
        (f"broadcasts/{many['id']}/", {"send_at": "2026-12-24"}, "send_at"),
    ]
    for path, body, field in bad:
        answer = tomorrow.client.patch(G + path, body, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field]), body
    assert tomorrow.look("messages", made)["updated_at"] == made["updated_at"]
    assert tomorrow.look("broadcasts", many) == many


def test_a_chosen_expiry_stays_before_the_new_time(tomorrow: Tomorrow, anna: Member) -> None:
    body = {"text": "Hello", "member": encode(anna.pk), "send_at": in_days(1)}
    body["expires_at"] = in_days(1.5)
    made = tomorrow.client.post(G + "messages/", body, format="json").json()
    answer = tomorrow.client.patch(
        f"{G}messages/{made['id']}/", {"send_at": in_days(2)}, format="json"
    )
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["send_at"])


def test_a_text_of_a_broadcast_is_changed_with_the_broadcast(
    tomorrow: Tomorrow, anna: Member
) -> None:
    tomorrow.broadcast("Hello")
    assert accept_due(tomorrow.at)
    Message.objects.update(status=Status.SCHEDULED)
    message = Message.objects.get()
    answer = tomorrow.client.patch(
        f"{G}messages/{encode(message.pk)}/", {"text": "Bye"}, format="json"
    )
    assert answer.status_code == 409


def test_only_senders_of_the_church_change_a_text(
    tomorrow: Tomorrow, grace: Church, hope: Church, anna: Member
) -> None:
    made = tomorrow.text("Hello", member=encode(anna.pk))
    for user, expected in (
        (cast.staff(grace, "viewer"), 403),  # type: ignore[arg-type] # a role by its value
        (cast.staff(hope, "owner"), 404),  # type: ignore[arg-type]
    ):
        client = APIClient()
        client.force_authenticate(user)
        answer = client.patch(f"{G}messages/{made['id']}/", {"text": "Bye"}, format="json")
        assert answer.status_code == expected
    assert Message.objects.get(pk=decode(made["id"]) or 0).text == "Hello"
    assert not Broadcast.objects.exists()
