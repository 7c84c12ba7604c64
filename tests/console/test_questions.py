"""The pages ask before an act that cannot be taken back, and the question changes nothing."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, Keyword, Note, Series, TextTemplate
from tests.console.conftest import signed_in
from tests.console.one_of_each import things_of, things_of_user
from tests.console.route_roles import ROUTES
from tests.console.test_access import path_of

pytestmark = pytest.mark.django_db

QUESTIONS = {
    "console-sent-series-act": "End this repeating broadcast?",
    "console-sent-broadcast-stop": "Cancel this broadcast?",
    "console-sent-text-stop": "Cancel this text?",
    "console-keyword-delete": "Delete the keyword CHOIR?",
    "console-send-template-delete": "Delete the template “",
    "console-inbox-note-delete": "Delete this note?",
    "console-staff-withdraw": "Withdraw the invitation of ",
    "console-account-sign-out": "Sign out everywhere?",
}


def test_a_question_names_the_thing_leads_back_and_changes_nothing(
    grace: Church, grace_owner: User
) -> None:
    things = {**things_of(grace, grace_owner), **things_of_user(grace, grace_owner)}
    owner = signed_in(grace_owner)
    acts = AuditEntry.objects.count()
    for name, question in QUESTIONS.items():
        path = path_of(name, ROUTES[name], "grace", things)
        page = unescape(owner.get(path).content.decode())
        main = page[page.index("<main") :]
        assert question in main, name
        assert main.count('<form method="post" class="card">') == 1, name
        back = re.findall(r'class="button" href="([^"]+)"', main)
        assert owner.get(back[-1]).status_code == 200, name
    assert AuditEntry.objects.count() == acts
    assert (Note.objects.count(), Keyword.objects.count(), TextTemplate.objects.count()) == (
        1,
        1,
        1,
    )
    assert Series.objects.get().status == "active"


def test_a_question_about_a_thing_that_is_over_leads_to_its_page(
    grace: Church, grace_owner: User
) -> None:
    things, owner = things_of(grace, grace_owner), signed_in(grace_owner)
    for name in ("console-sent-text-stop", "console-sent-broadcast-stop"):
        path = path_of(name, ROUTES[name], "grace", things)
        owner.post(path)
        assert owner.get(path)["Location"] == path.removesuffix("stop/")


def test_an_owner_is_asked_before_the_own_rights_go(
    owner: Client, grace: Church, grace_owner: User, hope_owner: User
) -> None:
    grace.staff.create(user=hope_owner, role="owner")
    mine = grace.staff.get(user=grace_owner)
    path = reverse("console-staff-role", args=["grace", encode(mine.pk)])
    page = owner.post(path, {"role": "sender"}).content.decode()
    assert "Give up your own rights as an owner?" in page
    mine.refresh_from_db()
    assert mine.role == "owner"
    owner.post(path, {"role": "sender", "sure": "yes"})
    mine.refresh_from_db()
    assert mine.role == "sender"
