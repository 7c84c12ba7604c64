"""The sentences of the banner are whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import translation

from delivery.limits import slowdowns
from delivery.providers import registry
from koinonia.console.memberships import ChurchState
from koinonia.console.trouble import forget, troubles
from koinonia.models import Church

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_sentence_that_ends_with_a_time_has_one_full_stop(grace: Church, language: str) -> None:
    now = datetime(2030, 1, 5, 9, 0, tzinfo=UTC)
    until = datetime(2030, 1, 6, 20, 31, tzinfo=UTC)
    state = ChurchState(
        unread=0, provider="telnyx", is_stopped=True, stopped_until=until, waits_until=None
    )
    with translation.override(language):
        sentence = troubles(grace, state, now)[0].sentence
    assert ".." not in sentence
    assert ". " in sentence


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_time_inside_of_the_words_about_a_slowdown_ends_its_sentence_once(
    grace: Church, language: str
) -> None:
    now = datetime(2030, 1, 5, 9, 0, tzinfo=UTC)
    slowdowns.slow(
        registry.accounts()[0], rate=1, by=None, reason="A test.", now=now,
        until=datetime(2030, 1, 6, 20, 31, tzinfo=UTC),
    )  # fmt: skip
    state = ChurchState(unread=0, provider="telnyx", waits_until=None)
    with translation.override(language):
        sentence = troubles(grace, state, now, fresh=True)[0].sentence
    forget()
    assert ".." not in sentence
    assert sentence.count(". ") in (1, 2)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_banner_says_what_new_texts_do_in_the_language_of_the_page(
    grace: Church, language: str
) -> None:
    now = datetime(2030, 1, 5, 9, 0, tzinfo=UTC)
    state = ChurchState(unread=0, provider="telnyx", is_stopped=True, waits_until=None)
    said = {"en": "New texts wait, and go out by themselves.", "es": "esperan y salen solos."}
    with translation.override(language):
        assert troubles(grace, state, now)[0].sentence.endswith(said[language])
