"""The agreement that an import asks for is seen on the pages of its people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from delivery import opt_outs
from delivery.models import ConsentChange, OptOut
from koinonia.ids import encode
from koinonia.member_import import writing
from koinonia.models import Church, Member
from tests.console.members.test_import import BREEZE, upload
from tests.support import cast

BASE = "/churches/grace/members/"
SAID = "Has agreed to texts, as the staff said at the import of “people.csv”"


def bring(client: Client, content: str = BREEZE, name: str = "people.csv") -> None:
    path = upload(client, content, name)
    done = client.post(path + "start/", {"agreed": "1"}, follow=True)
    assert "The import is done" in done.content.decode()


def page_of(client: Client, member: Member) -> str:
    return client.get(f"{BASE}{encode(member.pk)}/").content.decode()


def test_the_page_of_an_imported_person_says_who_vouched_when_and_by_which_file(
    sender: Client, grace_sender: User, grace: Church
) -> None:
    bring(sender)
    ann, ben = Member.objects.order_by("first_name")
    page = page_of(sender, ann)
    assert SAID in page
    assert f'<span class="quiet">{grace_sender.username}</span>' in page
    assert ConsentChange.objects.get(opted_out=False).number == ann.phone
    out = page_of(sender, ben)
    assert SAID not in out
    assert "Opted out by the imported file “people.csv”" in out


def test_the_people_who_are_here_already_have_agreed_too(
    sender: Client, grace: Church, anna: Member
) -> None:
    bring(sender, f"first_name,phone,groups\n{anna.first_name},{anna.phone},\n")
    assert SAID in page_of(sender, anna)


def test_the_same_file_writes_no_second_agreement(
    sender: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "AT_ONCE", 2)
    # Ann and Tim share a number, in two slices.
    rows = "Ann,3125550101\nBen,3125550102\nTim,3125550101\n"
    for _ in range(2):
        bring(sender, f"first_name,phone\n{rows}")
        numbers = ConsentChange.objects.order_by("number").values_list("number", flat=True)
        assert list(numbers) == ["+13125550101", "+13125550102"]


def test_an_import_does_not_overrule_a_stop(sender: Client, grace: Church) -> None:
    stopped = cast.member(grace, "Ann", "+13125550101")
    opt_outs.opt_out(grace.pk, stopped.phone, OptOut.Source.KEYWORD, now=timezone.now())
    bring(sender)
    page = page_of(sender, stopped)
    assert SAID not in page
    assert "This number gets no texts until it sends START." in page


def test_a_program_can_vouch_for_the_people_of_its_file(grace: Church, grace_sender: User) -> None:
    program = APIClient()
    program.force_authenticate(grace_sender)
    path = "/api/v1/churches/grace/members/import/"
    for query, known in (("", 0), ("?agreed=1&dry_run=1", 0), ("?agreed=1", 1), ("?agreed=1", 1)):
        file = SimpleUploadedFile("people.csv", BREEZE.encode())
        answer = program.post(path + query, {"file": file}, format="multipart")
        assert answer.status_code == 200, answer.content
        assert ConsentChange.objects.filter(opted_out=False).count() == known
    entry = ConsentChange.objects.get(opted_out=False)
    assert (entry.by, entry.file_name) == (grace_sender, "people.csv")


def test_the_preview_says_that_the_agreement_is_kept(sender: Client, grace: Church) -> None:
    page = sender.get(upload(sender, BREEZE)).content.decode()
    assert "The page of each person keeps this, with your name" in page
