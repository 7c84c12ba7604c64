"""Toll fraud, media, requests to stop and the daily cap, as clients meet them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Direction, Message, OptOut, SpendLimit, SpentHour
from delivery.statuses import Status
from koinonia.ids import encode
from koinonia.models import Church, Conversation, Member
from tests.support import cast

G = "/api/v1/churches/grace/"
JAMAICA = "+18765550123"


def heard(church: Church, phone: str, text: str, **over: Any) -> Message:
    now = timezone.now()
    thread, _ = Conversation.objects.get_or_create(church=church, phone=phone)
    message = Message.objects.create(
        tenant=church, direction=Direction.INBOUND, status=Status.RECEIVED, to_number=church.phone_number,
        from_number=phone, text=text, thread=thread.pk, created_at=now, updated_at=now, **over,
    )  # fmt: skip
    Conversation.objects.filter(pk=thread.pk).update(last_message=message)
    return message


def test_requests_to_stop_are_found_and_one_click_opts_out(
    sender: APIClient, grace: Church, anna: Member
) -> None:
    wanted = heard(grace, anna.phone, "please stop texting me", asks_to_stop=True, recipient=anna)
    other = heard(grace, "+13125550166", "Hello")

    def found(query: str) -> list[str]:
        return [one["id"] for one in sender.get(f"{G}messages/?{query}").json()["results"]]

    assert found("asks_to_stop=1") == found("asks_to_stop=true") == [encode(wanted.pk)]
    assert found("asks_to_stop=0") == [encode(other.pk)]
    assert len(found("")) == 2
    assert sender.get(f"{G}messages/?asks_to_stop=perhaps").status_code == 400
    member = f"{G}members/{encode(anna.pk)}/"
    assert sender.patch(member, {"opted_out": True}, format="json").json()["opted_out"] is True


@pytest.mark.parametrize("to", [JAMAICA, "+447012345678", "+19005550123", "+881612345678"])
def test_a_foreign_or_premium_number_is_400_in_every_endpoint(
    to: str, sender: APIClient, grace: Church
) -> None:
    answer = sender.post(G + "messages/", {"to": to, "text": "Hi"}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["to"]
    member = cast.member(grace, "Joy", to)
    body = {"member": encode(member.pk), "text": "Hi"}
    assert sender.post(G + "messages/", body, format="json").status_code == 400
    talk = heard(grace, to, "Hello").thread
    reply = sender.post(
        f"{G}conversations/{encode(talk or 0)}/messages/", {"text": "Hi"}, format="json"
    )
    assert reply.status_code == 400
    assert not Message.objects.filter(direction="outbound").exists()


def test_a_broadcast_reaches_domestic_numbers_and_names_the_foreign_one(
    sender: APIClient, grace: Church, anna: Member
) -> None:
    cast.member(grace, "Joy", JAMAICA)
    answer = sender.post(
        G + "broadcasts/", {"text": "Hi", "audience": {"all": True}}, format="json"
    )
    assert answer.status_code == 202
    assert Message.objects.get(to_number=anna.phone).status == "queued"
    assert not Message.objects.filter(to_number=JAMAICA, status="queued").exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/x.png", "http://127.0.0.1/x.png", "http://2130706433/", "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/", "https://user:secret@example.org/x.png", "https://example.org/\u202ex.png",
        "https://example.org/\x07.png", "http://printer.local/x.png", "ftp://example.org/x.png", "x",
    ],
)  # fmt: skip
def test_a_private_media_url_is_400_with_a_sentence(url: str, sender: APIClient) -> None:
    body = {"to": "+13125550155", "text": "Hi", "media_urls": [url]}
    answer = sender.post(G + "messages/", body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["media_urls"])
    assert not Message.objects.exists()


def test_a_picture_with_words_is_shown_in_the_list_and_the_conversation(
    viewer: APIClient, grace: Church
) -> None:
    pictures = ["https://media.example.org/roof.jpg"]
    message = heard(grace, "+13125550166", "Our new roof", media_urls=pictures)
    [listed] = viewer.get(G + "messages/").json()["results"]
    [talk] = viewer.get(G + "conversations/").json()["results"]
    item = viewer.get(f"{G}messages/{encode(message.pk)}/").json()
    assert [one["media_urls"] for one in (listed, talk["last_message"], item)] == [pictures] * 3
    assert [one["text"] for one in (listed, talk["last_message"], item)] == ["Our new roof"] * 3


def test_the_report_shows_the_use_of_the_daily_cap(
    viewer: APIClient, grace: Church, hope: Church
) -> None:
    assert viewer.get(G + "delivery/").json()["spend"] == {"parts": 0, "cap": 20_000, "until": None}
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    SpentHour.objects.create(tenant=grace, hour=hour, parts=41)
    SpentHour.objects.create(tenant=grace, hour=hour - timedelta(hours=26), parts=1000)
    SpentHour.objects.create(tenant=hope, hour=hour, parts=7)
    until = hour + timedelta(hours=25)
    SpendLimit.objects.create(tenant=grace, cap=40, reached_at=hour, waits_until=until)
    report = viewer.get(G + "delivery/").json()
    assert list(report)[-1] == "spend"
    assert report["spend"] == {
        "parts": 41,
        "cap": 40,
        "until": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@pytest.mark.django_db
def test_the_operator_sees_requests_to_stop_and_caps_in_the_admin(
    client: Client, grace: Church
) -> None:
    heard(grace, "+13125550166", "please stop texting me", asks_to_stop=True)
    heard(grace, "+13125550167", "Hello")
    client.force_login(User.objects.create_superuser("operator"))
    page = client.get("/admin/delivery/stoprequest/")
    assert ("+13125550166" in page.text, "+13125550167" in page.text) == (True, False)
    wanted = {
        "action": "opt_out_selected",
        "_selected_action": [str(Message.objects.earliest("pk").pk)],
    }
    client.post("/admin/delivery/stoprequest/", wanted)
    assert OptOut.objects.get().number == "+13125550166"
    client.post("/admin/delivery/spendlimit/add/", {"tenant": grace.pk, "cap": "7"})
    assert SpendLimit.objects.get().cap == 7
    change = f"/admin/koinonia/church/{grace.pk}/change/"
    assert "opt_out_words" in client.get(change).text


@pytest.mark.parametrize("words", ["ALTO, PARAR", "", "Arrêt", " baja ,"])
def test_a_church_may_have_its_own_opt_out_words(words: str, grace: Church) -> None:
    grace.opt_out_words = words
    grace.full_clean()


@pytest.mark.parametrize("words", ["START", "help!", "x", "🙏", "a" * 31, ",".join(["word"] * 21)])
def test_ambiguous_or_empty_opt_out_words_are_refused(words: str, grace: Church) -> None:
    grace.opt_out_words = words
    with pytest.raises(ValidationError):
        grace.full_clean()
