"""A person may have everything that is held, and may be erased; an opt-out stays."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from delivery import batches
from delivery.models import Attempt, ConsentChange, Message, OptOut, WebhookEvent
from delivery.opt_outs import Record, opt_out
from delivery.opt_outs.agreements import agree
from koinonia import conversations, retention
from koinonia.models import Broadcast, Church, Conversation, Member, Note, PersonRequest
from realtime import log
from realtime.log import NewEvent
from realtime.models import Event
from tests.support import cast

pytestmark = pytest.mark.django_db

NUMBER, OTHER = "+13122000001", "+13122000002"


@pytest.fixture(autouse=True)
def archive(settings: Any, tmp_path: Path) -> Path:
    settings.ARCHIVE_DIR = tmp_path / "archive"
    return tmp_path / "archive"


@pytest.fixture
def person(grace: Church) -> Member:
    """Create a member with a text of a broadcast, a reply, an opt-out, a webhook and an event."""
    member = cast.member(grace, "Ruth", NUMBER)
    now = timezone.now()
    thread = conversations.conversation_with(grace, NUMBER, now=now)
    broadcast = Broadcast.objects.create(
        church=grace, text="Dear {first_name}", audience={"all": True}, total=2, created_at=now
    )
    for number, words in ((NUMBER, "Dear Ruth"), (OTHER, "Dear all")):
        text = Message.objects.create(
            tenant=grace, status="delivered", to_number=number, from_number="+13125550100",
            text=words, batch=broadcast.pk, created_at=now, updated_at=now,
            thread=thread.pk if number == NUMBER else None,
            recipient=member if number == NUMBER else None,
        )  # fmt: skip
        Attempt.objects.create(
            message=text, number=1, started_at=now, duration_ms=9, outcome="accepted",
            detail=f"sent to {number}",
        )  # fmt: skip
    Message.objects.create(
        tenant=grace, direction="inbound", status="received", to_number="+13125550100",
        from_number=NUMBER, text="STOP, says Ruth", thread=thread.pk, created_at=now, updated_at=now,
    )  # fmt: skip
    Note.objects.create(church=grace, conversation=thread, text="Ruth sings", created_at=now)
    OptOut.objects.create(tenant=grace, number=NUMBER, source="keyword", created_at=now)
    WebhookEvent.objects.create(
        event_id="e1", event_type="message.received", occurred_at=now, received_at=now,
        applied_at=now, payload={"from": NUMBER, "text": "STOP, says Ruth"},
    )  # fmt: skip
    log.append({"church:grace": [NewEvent("message.created", {"to": NUMBER})]}, now=now)
    log.append({"church:grace": [NewEvent("message.created", {"to": OTHER})]}, now=now)
    return member


def erase(*options: str) -> None:
    call_command("person", "erase", NUMBER, *options)


def everything() -> str:
    """Return the tables with personal data as one text."""
    rows = [
        str(list(model._default_manager.values()))
        for model in (
            Message,
            Attempt,
            WebhookEvent,
            Conversation,
            Member,
            Note,
            Event,
            PersonRequest,
        )
    ]
    return "\n".join(rows)


def test_an_export_holds_everything_about_the_number(person: Member, tmp_path: Path) -> None:
    call_command("person", "export", NUMBER, "--to", str(tmp_path / "person.json"))
    found = json.loads((tmp_path / "person.json").read_text())
    assert (tmp_path / "person.json").stat().st_mode & 0o077 == 0
    assert [one["first_name"] for one in found["members"]] == ["Ruth"]
    assert sorted(one["text"] for one in found["texts"]) == ["Dear Ruth", "STOP, says Ruth"]
    assert len(found["attempts"]) == len(found["webhook_events"]) == len(found["opt_outs"]) == 1
    assert [one["text"] for one in found["notes"]] == ["Ruth sings"]
    assert OTHER not in json.dumps(found)
    assert PersonRequest.objects.get().kind == "export"


def test_an_erased_person_is_nowhere_but_in_the_opt_out(person: Member) -> None:
    erase()
    assert NUMBER not in everything()
    assert "Ruth" not in everything()
    assert OptOut.objects.get().number == NUMBER
    assert PersonRequest.objects.get().counts["texts"] == 2


def test_an_erasure_takes_the_agreements_and_keeps_the_opt_outs(person: Member) -> None:
    church, now = person.church, timezone.now()
    OptOut.objects.all().delete()
    said = Record(source=OptOut.Source.FILE, at=now, file_name="Ruth.csv")
    agree(church.pk, [NUMBER, OTHER], said)
    opt_out(church.pk, NUMBER, OptOut.Source.FILE, now=now, file_name="Ruth.csv")
    erase()
    entries = ConsentChange.objects.order_by("pk").values_list("number", "opted_out", "file_name")
    assert list(entries) == [(OTHER, False, "Ruth.csv"), (NUMBER, True, "")]


def test_an_erasure_changes_no_count_and_no_other_person(person: Member) -> None:
    before = batches.counts_of([Broadcast.objects.get().pk])
    erase()
    assert batches.counts_of([Broadcast.objects.get().pk]) == before
    assert Message.objects.get(to_number=OTHER).text == "Dear all"
    assert OTHER in Event.objects.get().body


def test_an_erasure_may_be_repeated(person: Member) -> None:
    erase()
    erase()
    assert PersonRequest.objects.count() == 2


def test_another_church_keeps_its_data(person: Member, hope: Church) -> None:
    cast.member(hope, "Ruth", NUMBER)
    erase("--church", "grace")
    assert Member.objects.get().church == hope


@pytest.mark.parametrize("status", ["sending", "accepted", "sent"])
def test_a_text_on_its_way_is_erased_later(person: Member, status: str) -> None:
    text = Message.objects.get(to_number=NUMBER)
    lease = {"lease_until": timezone.now(), "lease_token": "6d3f2a60-5f0e-4a8e-9a43-6b1b52a6a7b1"}
    Message.objects.filter(pk=text.pk).update(
        status=status, claimed_from="queued", **(lease if status == "sending" else {})
    )
    with pytest.raises(CommandError, match="1 texts wait or are on their way"):
        erase()
    Message.objects.filter(pk=text.pk).update(
        status="delivered", lease_until=None, lease_token=None
    )
    erase()
    assert NUMBER not in everything()


def test_a_waiting_text_is_cancelled_and_erased(person: Member) -> None:
    Message.objects.filter(to_number=NUMBER).update(
        status="queued", next_attempt_at=timezone.now(), recipient=None
    )
    erase()
    assert set(Message.objects.values_list("status", flat=True)) == {
        "cancelled", "delivered", "received"
    }  # fmt: skip


def test_a_dead_letter_leaves_the_queue_of_people(person: Member) -> None:
    Message.objects.filter(to_number=NUMBER).update(status="dead", dead_since=timezone.now())
    erase()
    assert not Message.objects.dead_letters().exists()


def test_the_archives_are_exported_and_written_again_without_the_person(
    person: Member, settings: Any, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.KEEP_TEXTS_DAYS = 90
    dict(retention.prune(timezone.now() + timedelta(days=100)))
    call_command("person", "export", NUMBER)
    found = json.loads(capsys.readouterr().out)
    assert [one["text"] for one in found["archived_texts"]] == ["Dear Ruth", "STOP, says Ruth"]
    erase()
    capsys.readouterr()
    call_command("person", "export", OTHER)
    assert len(json.loads(capsys.readouterr().out)["archived_texts"]) == 1
    call_command("person", "export", NUMBER)
    assert json.loads(capsys.readouterr().out)["archived_texts"] == []


def test_a_number_that_is_none_is_refused(grace: Church) -> None:
    with pytest.raises(CommandError):
        call_command("person", "export", "12")
    with pytest.raises(CommandError, match="no church"):
        call_command("person", "export", NUMBER, "--church", "hope")
