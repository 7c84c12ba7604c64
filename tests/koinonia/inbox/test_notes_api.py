"""Notes about a person: kept by colleagues, deleted by their author, never seen by another church."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from koinonia.ids import encode
from koinonia.inbox import notes
from koinonia.models import Church, Conversation, Note
from realtime.models import Event
from tests.koinonia.inbox.conftest import PHONE, receive
from tests.support import cast

pytestmark = pytest.mark.django_db

URL = "/api/v1/churches/grace/notes/"


@pytest.fixture
def conversation(grace: Church) -> str:
    receive(grace)
    return encode(Conversation.objects.get(church=grace).pk)


def kinds() -> list[str]:
    return list(Event.objects.order_by("seq").values_list("type", flat=True))


def test_a_note_is_kept_read_and_deleted(
    sender: APIClient, owner: APIClient, conversation: str
) -> None:
    body = {"conversation": conversation, "text": "Calls back on Monday"}
    made = sender.post(URL, body, format="json")
    assert made.status_code == 201
    note = made.json()
    assert note["author"]["name"] == "grace-sender"
    assert owner.get(f"{URL}?conversation={conversation}").json()["results"] == [note]
    assert owner.get(made.headers["Location"]).json() == note
    refused = owner.delete(made.headers["Location"])
    assert (refused.status_code, "only its author" in refused.json()["detail"]) == (403, True)
    assert sender.delete(made.headers["Location"]).status_code == 204
    assert sender.delete(made.headers["Location"]).status_code == 404
    assert kinds()[-2:] == ["note.created", "note.deleted"]
    data = json.loads(Event.objects.latest("seq").body)["data"]
    assert data == {"note": note["id"], "conversation": conversation}


def test_a_note_about_a_member_is_the_note_of_the_conversation(
    sender: APIClient, grace: Church, conversation: str
) -> None:
    anna, ben = (
        encode(cast.member(grace, name, number).pk)
        for name, number in (("Anna", PHONE), ("Ben", "+13125550112"))
    )
    for member, text in ((anna, "Sings alto"), (ben, "Has a key")):
        assert sender.post(URL, {"member": member, "text": text}, format="json").status_code == 201
    texts = [note["text"] for note in sender.get(URL).json()["results"]]
    assert texts == ["Has a key", "Sings alto"]
    by_member = sender.get(f"{URL}?member={anna}").json()["results"]
    assert by_member == sender.get(f"{URL}?conversation={conversation}").json()["results"]
    assert [note["text"] for note in by_member] == ["Sings alto"]


def test_a_note_needs_one_person_and_words(sender: APIClient, conversation: str) -> None:
    for body, name in (
        ({"text": "x"}, "conversation"),
        ({"conversation": conversation, "text": "\u200b"}, "text"),
        ({"conversation": conversation, "text": "x" * 2001}, "text"),
        ({"conversation": "Uk9", "text": "x"}, "conversation"),
    ):
        answer = sender.post(URL, body, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


def test_a_person_has_a_bounded_number_of_notes(
    sender: APIClient, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MAX_NOTES", 1)
    body = {"conversation": conversation, "text": "x"}
    assert sender.post(URL, body, format="json").status_code == 201
    assert sender.post(URL, body, format="json").status_code == 400


def test_a_viewer_reads_notes_and_another_church_does_not(
    viewer: APIClient,
    sender: APIClient,
    hope_owner: User,
    as_user: Callable[[User], APIClient],
    conversation: str,
) -> None:
    body = {"conversation": conversation, "text": "Private"}
    path = sender.post(URL, body, format="json").headers["Location"]
    assert viewer.get(path).status_code == 200
    assert viewer.post(URL, body, format="json").status_code == 403
    assert viewer.delete(path).status_code == 403
    other = as_user(hope_owner)
    assert other.get(path).status_code == other.delete(path).status_code == 404
    theirs = path.replace("/grace/", "/hope/")
    assert other.get(theirs).status_code == other.delete(theirs).status_code == 404
    answer = other.post(URL.replace("/grace/", "/hope/"), body, format="json")
    assert answer.status_code == 400
    assert Note.objects.count() == 1


def test_a_note_outlives_its_author_and_names_nobody(
    sender: APIClient, owner: APIClient, grace_sender: User, conversation: str
) -> None:
    sender.post(URL, {"conversation": conversation, "text": "x"}, format="json")
    grace_sender.delete()
    assert owner.get(URL).json()["results"][0]["author"] is None
