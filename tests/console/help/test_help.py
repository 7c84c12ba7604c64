"""The help page answers from the code of the other pages, and other pages lead to its answers."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from delivery.dead_letters import reasons
from delivery.models import Message
from delivery.providers.telnyx import codes
from delivery.statuses import Status
from koinonia.console import words
from koinonia.console.help.questions import QUESTIONS
from koinonia.models import Church
from tests.console.conftest import signed_in
from tests.console.pages import Costs
from tests.support.running_system import ROOT

pytestmark = pytest.mark.django_db
HELP = "/churches/grace/help/"
TEMPLATES = ROOT / "koinonia/templates/koinonia/console"


def main_of(client: Client, path: str = HELP) -> str:
    page = unescape(client.get(path).content.decode())
    return page[page.index("<main") : page.index("</main>")]


def test_each_question_leads_to_its_answer(viewer: Client) -> None:
    page = main_of(viewer)
    for anchor, question in QUESTIONS.items():
        assert f'<a href="#{anchor}">{question}</a>' in page
        assert f'<section class="card answer" id="{anchor}"><h2>{question}</h2>' in page


def test_the_page_has_each_status_cause_and_advice_of_the_other_pages(viewer: Client) -> None:
    page = main_of(viewer)
    for of in words.STATUSES.values():
        assert f"{of.label}</span></dt><dd>{of.sentence}</dd>" in page
    for sentence in [*reasons.EXPLANATIONS.values(), *codes.EXPLANATIONS.values()]:
        assert page.count(f"<li>{sentence}</li>") == 1, sentence
    assert all(str(advice) in page for advice in words.ADVICE.values())


@pytest.mark.parametrize("provider", ["telnyx", "twilio", "nobody"])
def test_a_cause_has_the_advice_of_the_text_that_failed_for_it(provider: str) -> None:
    listed = reasons.by_remedy(provider)
    assert [*listed]
    for code, sentence in reasons.EXPLANATIONS.items():
        assert str(sentence) in listed[reasons.remedy(code, provider, "")]
    text = Message(status=Status.FAILED, error_code="40001", provider="telnyx")
    if provider == "telnyx":
        (remedy,) = [one for one in listed if words.ADVICE[one] == words.remedy_for(text)]
        assert words.explain("40001", "telnyx") in listed[remedy]


def test_the_figures_are_those_of_the_church(
    viewer: Client, grace: Church, grace_owner: User, settings: Any
) -> None:
    assert "Your support is the operator of this installation." in main_of(viewer)
    settings.SUPPORT_ADDRESS = "help@example.org"
    Church.objects.filter(pk=grace.pk).update(
        quiet_from=None, quiet_until=None, opt_out_words="BASTA", part_price="0.0140"
    )
    page = main_of(viewer)
    for words_of_church in (
        'href="mailto:help@example.org"', "Your church has none.", ">BASTA</span>", ">STOP</span>",
        "One part costs 0.0140.", grace_owner.username, "up to 160 letters is one part",
    ):  # fmt: skip
        assert words_of_church in page


def test_links_are_for_the_role_and_lead_somewhere(
    viewer: Client, grace_owner: User, costs: Costs
) -> None:
    owner = signed_in(grace_owner)
    for client in (viewer, owner):
        paths = set(re.findall(r'href="(/churches/grace/[^"#]*)', main_of(client)))
        assert len(paths) > 8
        assert {client.get(path).status_code for path in paths} == {200}
    costs.of(owner, HELP)


def test_an_empty_page_leads_to_the_answer_about_it(sender: Client, grace: Church) -> None:
    empty = {
        "": "later", "inbox/": "inbox", "sent/": "everybody", "sent/texts/": "arrived",
        "sent/repeating/": "later", "members/": "import", "groups/": "groups", "keywords/": "groups",
    }  # fmt: skip
    for path, anchor in empty.items():
        link = f'href="{HELP}#{anchor}">{QUESTIONS[anchor]}</a>'
        assert link in main_of(sender, f"/churches/grace/{path}"), path


def test_every_link_to_an_answer_names_a_question() -> None:
    used = [
        anchor
        for template in Path(TEMPLATES).rglob("*.html")
        for anchor in re.findall(r'{% answer "([^"]+)" %}', template.read_text())
    ]
    assert set(used) <= QUESTIONS.keys()
