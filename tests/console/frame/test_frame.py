"""What the frame does for every page: rights, language, zone, notices, drafts and its cost."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.models import Church, Conversation, LastChurch, Role, Staff
from tests.console.conftest import signed_in
from tests.console.pages import Costs


def test_the_navigation_names_the_page_that_is_open(grace_owner: User) -> None:
    page = signed_in(grace_owner).get("/churches/grace/more/").content.decode()
    assert '<a href="/churches/grace/more/" aria-current="page">' in page
    assert page.count('aria-current="page"') == 1


def test_a_viewer_is_led_to_no_page_that_refuses_viewers(
    grace_owner: User, grace_viewer: User
) -> None:
    send = 'href="/churches/grace/send/"'
    for path in ("", "more/", "send/templates/", "sent/"):
        assert send not in signed_in(grace_viewer).get(f"/churches/grace/{path}").content.decode()
    assert send in signed_in(grace_owner).get("/churches/grace/").content.decode()
    page = signed_in(grace_viewer).get("/churches/grace/").content.decode()
    assert '<li><a href="/churches/grace/sent/">' in page, "a phone shows it"


def test_a_part_has_no_frame(grace_owner: User) -> None:
    answer = signed_in(grace_owner).get("/churches/grace/more/", headers={"HX-Request": "true"})
    assert b"<nav" not in answer.content
    assert b"Change the password" in answer.content
    assert "HX-Request" in answer["Vary"]


def test_the_frame_counts_unread_texts(grace_owner: User, grace: Church, hope: Church) -> None:
    Conversation.objects.create(church=grace, phone="+13125550111", unread_count=2)
    Conversation.objects.create(church=grace, phone="+13125550112", unread_count=1)
    Conversation.objects.create(church=hope, phone="+13125550113", unread_count=5)
    page = signed_in(grace_owner).get("/churches/grace/").content.decode()
    assert 'data-unread="3"' in page
    assert "3 unread texts" in page


def test_the_opened_church_is_remembered(grace: Church, hope: Church, grace_sender: User) -> None:
    Staff.objects.create(church=hope, user=grace_sender, role=Role.VIEWER)
    client = signed_in(grace_sender)
    for slug in ("grace", "hope", "hope"):
        client.get(f"/churches/{slug}/")
        assert LastChurch.objects.get(user=grace_sender).church.slug == slug


def test_the_switch_leads_to_the_chosen_church(grace_sender: User) -> None:
    client = signed_in(grace_sender)
    assert client.get("/churches/?church=grace")["Location"] == "/churches/grace/"
    assert client.get("/churches/?church=//evil.example")["Location"] == "/"


def test_a_form_that_was_sent_after_the_session_ended_leads_back_to_its_page(
    client: Client, grace: Church
) -> None:
    page = "http://testserver/churches/grace/more/"
    answer = client.post("/churches/grace/", headers={"Referer": page})
    assert answer["Location"] == "/login/?next=/churches/grace/more/"
    foreign = client.post("/churches/grace/", headers={"Referer": "http://evil.example/more/"})
    assert foreign["Location"] == "/login/?next=/churches/grace/"


@pytest.mark.parametrize("path", ["", "more/"])
def test_a_page_costs_few_queries(grace_owner: User, costs: Costs, path: str) -> None:
    costs.of(signed_in(grace_owner), f"/churches/grace/{path}")
