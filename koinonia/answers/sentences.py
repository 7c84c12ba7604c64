"""The texts of automatic answers: texts of the church, or standard sentences in its language."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import override

from koinonia.answers.keywords import GroupRequest
from koinonia.models import Church, Group, Keyword, Member
from koinonia.texts.compose import compose
from koinonia.texts.placeholders import Named


class _Unknown(NamedTuple):
    """A person without a name: a placeholder for it becomes empty."""

    first_name: str = ""
    last_name: str = ""


def to_request(request: GroupRequest, member: Member | None, church: Church) -> str:
    """Return the answer to a person who joined or left a group."""
    keyword, group = request.keyword, request.keyword.group
    words = left(keyword, group, church) if request.leaves else joined(keyword, group, church)
    return filled_in(words, member, church)


def joined(keyword: Keyword, group: Group, church: Church) -> str:
    """Return the template for a person who joined."""
    return keyword.answer or group.welcome_text or standard_welcome(keyword.word, group, church)


def standard_welcome(word: str, group: Group, church: Church) -> str:
    with override(church.language):
        return _(
            "%(church)s: you are in %(group)s now. Text %(word)s STOP to leave it, STOP to end all texts."
        ) % _plain(church=church.name, group=group.name, word=_capitals(word))


def _capitals(word: str) -> str:
    """Return a keyword in capitals, unless the capital of an accented letter would cost more parts."""
    return word.upper() if word.isascii() else word


def left(keyword: Keyword, group: Group, church: Church) -> str:
    with override(church.language):
        return _(
            "%(church)s: you have left %(group)s. Text %(word)s to join again."
        ) % _plain(church=church.name, group=group.name, word=_capitals(keyword.word))  # fmt: skip


def closed(church: Church) -> str:
    """Return the template for a text outside the office hours."""
    return church.closed_answer or standard_closed(church)


def standard_closed(church: Church) -> str:
    with override(church.language):
        return _(
            "Thank you for your text to {church}. Our office is closed now; we answer when it is open again."
        )


def first_contact(church: Church) -> str:
    """Return the template for the first text of a number."""
    return church.first_contact_answer or standard_first_contact(church)


def standard_first_contact(church: Church) -> str:
    with override(church.language):
        return _(
            "This is {church}. Thank you for your text; we answer soon. Text STOP to end all texts."
        )


def filled_in(template: str, member: Named | None, church: Church) -> str:
    return compose(template, member or _Unknown(), church)


def _plain(**values: str) -> dict[str, str]:
    """Return names without braces, which would read as a placeholder."""
    return {name: value.replace("{", "(").replace("}", ")") for name, value in values.items()}
