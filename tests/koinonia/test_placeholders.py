"""Placeholders: filling in, tolerated spellings, errors, missing names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from delivery.accept import UnacceptableError
from delivery.models import Message
from koinonia.ids import encode
from koinonia.models import Church, Conversation, Member
from koinonia.texts import placeholders

G = "/api/v1/churches/grace/"
GRACE = Church(name="Grace Church")
NAMELESS = Member(first_name="", last_name="")
BEN = Member(first_name="Ben", last_name="")


@pytest.mark.parametrize(
    ("template", "to_ben", "to_nobody"),
    [
        ("Hello {first_name}, welcome", "Hello Ben, welcome", "Hello, welcome"),
        ("Dear {first_name} {last_name}, hi", "Dear Ben, hi", "Dear, hi"),
        ("{first_name}, welcome", "Ben, welcome", "welcome"),
        ("Hi {first_name}!", "Hi Ben!", "Hi!"),
        ("Hi {first_name} are  you well", "Hi Ben are  you well", "Hi are  you well"),
        ("Hi\n{first_name}: choir at 7", "Hi\nBen: choir at 7", "Hi\nchoir at 7"),
        ("See you, {first_name}! Bye", "See you, Ben! Bye", "See you! Bye"),
        ("See you, {first_name}\nGrace", "See you, Ben\nGrace", "See you,\nGrace"),
        ("{first_name} {last_name} comes", "Ben comes", "comes"),
        ("It is {last_name}.", "It is.", "It is."),
        ("{ First_Name } of {CHURCH}", "Ben of Grace Church", "of Grace Church"),
        ("  two  blanks  ", "  two  blanks  ", "  two  blanks  "),
    ],
)
def test_blanks_and_commas_around_a_missing_name_are_removed(
    template: str, to_ben: str, to_nobody: str
) -> None:
    placeholders.check(template)
    assert placeholders.render(template, BEN, GRACE) == to_ben
    assert placeholders.render(template, NAMELESS, GRACE) == to_nobody


@given(st.text(st.sampled_from("{}_ ,\nfirstname"), max_size=30), st.sampled_from("{}_ ,x"))
def test_accepted_text_leaves_no_opening_brace_and_fills_in_names_once(
    template: str, letter: str
) -> None:
    try:
        placeholders.check(template)
    except UnacceptableError:
        return
    assert "{" not in placeholders.render(template, Member(first_name="Ben"), GRACE)
    braces = Member(first_name="{church}" + letter)
    assert "Grace" not in placeholders.render(template, braces, GRACE)


BAD = {
    "Hi {first_name": "{first_name} is probably meant",
    "Hi {first_name, welcome": "{first_name} is probably meant",
    "Hi {first name}": "{first_name} is probably meant",
    "Hi {firstname}": "{first_name} is probably meant",
    "Hi {First-Name}": "{first_name} is probably meant",
    "Hi {frist_name}": "{first_name} is probably meant",
    "Hi {name}": "{first_name} is probably meant",
    "Hi {surname}": "{last_name} is probably meant",
    "Hi {{first_name}}": "single braces",
    "Hi {first_name}}": "single braces",
    "Hi first_name}": "is not opened",
    "Hi {}": "Unknown placeholder: {}",
    "Hi {": "is not closed",
    "Hi {" + "x" * 50 + "}": "Unknown placeholder",
    "Hi {first_name\n}": "is not closed",
    "Hi [first_name]": "{first_name} is probably meant",
    "Hi %first_name%": "{first_name} is probably meant",
    "Hi *|FNAME|*": "{first_name} is probably meant",
    "Hi <Last_Name>": "{last_name} is probably meant",
    "Hi ｛first_name｝": "{first_name} is probably meant",
}


def bodies(anna: Member) -> dict[str, dict[str, Any]]:
    talk = Conversation.objects.get_or_create(church=anna.church, phone=anna.phone)[0]
    return {
        "messages/": {"member": encode(anna.pk)},
        f"conversations/{encode(talk.pk)}/messages/": {},
        "broadcasts/": {"audience": {"all": True}},
        "broadcasts/preview/": {"audience": {"all": True}},
    }


@pytest.mark.parametrize("text", BAD)
def test_an_unknown_placeholder_is_rejected_with_a_suggestion(
    sender: APIClient, anna: Member, text: str
) -> None:
    for path, body in bodies(anna).items():
        refused = sender.post(G + path, {"text": text, **body}, format="json")
        assert refused.status_code == 400, (path, refused.json())
        assert BAD[text] in refused.json()["errors"]["text"][0]
    assert not Message.objects.exists()


def test_a_text_to_one_member_is_filled_in(sender: APIClient, anna: Member) -> None:
    for path, body in bodies(anna).items():
        if "preview" not in path:
            sender.post(G + path, {"text": "Dear { First_\u200bname }", **body}, format="json")
    assert list(Message.objects.values_list("text", flat=True)) == ["Dear Anna"] * 3


def test_a_number_without_a_member_cannot_fill_in_a_name(sender: APIClient, grace: Church) -> None:
    to = {"to": "+13125550155"}
    refused = sender.post(G + "messages/", {"text": "Dear {first_name}", **to}, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["text"])
    assert not Conversation.objects.exists()
    filled = sender.post(G + "messages/", {"text": "From {church}", **to}, format="json")
    assert filled.json()["text"] == "From Grace Church"
