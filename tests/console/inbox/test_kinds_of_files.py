"""The inbox names a file without words by its kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

INBOX = "/churches/grace/inbox/"
Unread = Callable[..., str]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ann.vcf", "Contact card"), ("voice.amr?x=1", "Sound"), ("clip.3gp", "Video"), ("a.JPG", "Picture"),
     ("b", "Picture or file")],
)  # fmt: skip
def test_a_file_without_words_is_named_by_its_kind(
    viewer: Client, unread: Unread, name: str, kind: str
) -> None:
    path = unread("", media_urls=[f"https://media.example.org/{name}"])
    assert f'<span class="words" dir="auto">{kind}</span>' in viewer.get(INBOX).content.decode()
    page = viewer.get(path).content.decode()
    assert f"{kind} 1 (media.example.org)" in page
    assert ("<img" in page.partition('class="medium"')[2].partition("</a>")[0]) == ("Pic" in kind)
