"""Pages, e-mail, dates and numbers for a reader of Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone, translation

from delivery.models import Message
from delivery.providers.twilio import codes as twilio
from delivery.statuses import Status
from koinonia import ids
from koinonia.accounts import invitations
from koinonia.accounts.mail import send_invitation
from koinonia.console import words
from koinonia.console.today.log_words import in_words
from koinonia.models import Broadcast, Church, Group, Keyword, Member, Role
from koinonia.templatetags.console import number, when
from tests.console.page_roles import PAGES
from tests.console.sent.conftest import broadcast, path_of, text_to
from tests.support import cast
from tests.translations import catalogue

FATES = [(Status.DELIVERED, ""), (Status.FAILED, "40008"), (Status.DEAD, "expired")]
pytestmark = pytest.mark.any_database

SPANISH = {"Accept-Language": "es-MX,es;q=0.9"}
OUTSIDE = [
    "/login/",
    "/password-reset/",
    "/password-reset/sent/",
    "/nowhere/",
    "/invitations/nothing/",
]
_SAME_IN_BOTH = {"No", "Koinonia", "Id"}
_PLACEHOLDER = re.compile(r"%\\\(\w+\\\)[srd]|\\\{\w+(?:!r)?\\\}")


class _Words(HTMLParser):
    """Collects the visible words and labels of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style", "bdi")
        self.found |= {
            " ".join(value.split())
            for name, value in attrs
            if value and name in ("title", "aria-label", "placeholder", "alt")
        }

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "bdi")

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.found.add(" ".join(data.split()))


def _sentences() -> Iterator[tuple[str, str]]:
    for app in catalogue.APPS:
        for message in catalogue.sentences(catalogue.committed(app)):
            yield from catalogue.forms(message)


_PAIRS = [(english, spanish) for english, spanish in _sentences() if english != spanish]
_PLAIN = {english for english, _spanish in _PAIRS} - {spanish for _english, spanish in _PAIRS}
_FILLED = [
    re.compile(_PLACEHOLDER.sub(".+?", re.escape(" ".join(english.split()))))
    for english in _PLAIN
    if _PLACEHOLDER.search(re.escape(english)) and len(re.findall(r"[a-z]{3,}", english)) > 3
]


def english_in(html: str) -> list[str]:
    """Return the English sentences of the catalogues that the page shows."""
    seen = _Words()
    seen.feed(html)
    plain = seen.found & _PLAIN - _SAME_IN_BOTH
    filled = {one for one in seen.found for known in _FILLED if known.fullmatch(one)}
    return sorted(plain | filled)


@pytest.fixture
def busy(grace: Church, grace_owner: User) -> Client:
    """Give the church people, a group, a keyword and texts in each state; return its owner's browser."""
    Church.objects.filter(pk=grace.pk).update(timezone="America/Chicago", language="es")
    choir = Group.objects.create(church=grace, name="Choir")
    Keyword.objects.create(church=grace, word="CHOIR", group=choir)
    ruth = cast.member(grace, "Ruth", "+13125550001")
    ruth.groups.add(choir)
    broadcast(grace, grace_owner, "Choir at 6", scheduled_at=timezone.now() + timedelta(days=2))
    broadcast(grace, grace_owner, "Choir at 7")
    for status, code in FATES:
        text = text_to(grace, grace_owner, "+13125550001")
        Message.objects.filter(pk=text.pk).update(
            status=status, error_code=code, dead_since=timezone.now() if code else None
        )
    client = Client(headers=SPANISH)
    client.force_login(grace_owner)
    return client


@pytest.mark.django_db
def test_no_page_of_a_church_shows_an_english_sentence(busy: Client) -> None:
    found, opened = {}, [f"/churches/grace/{path}" for path in PAGES if "parts/" not in path]
    opened += [
        f"/churches/grace/members/{ids.encode(Member.objects.get().pk)}/",
        f"/churches/grace/groups/{ids.encode(Group.objects.get().pk)}/",
        *(path_of(text) for text in Message.objects.all()),
        *(path_of(one) for one in Broadcast.objects.all()),
    ]
    for path in opened:
        answer = busy.get(path)
        assert answer.status_code == 200, path
        html = answer.content.decode()
        assert '<html lang="es"' in html
        if shown := english_in(html):
            found[path] = shown
    assert found == {}


@pytest.mark.django_db
def test_no_page_outside_of_a_church_shows_an_english_sentence(client: Client) -> None:
    found = {
        path: shown
        for path in OUTSIDE
        if (shown := english_in(client.get(path, headers=SPANISH).content.decode()))
    }
    assert found == {}


@pytest.mark.django_db
def test_an_english_page_is_noticed(client: Client) -> None:
    assert "Forgotten password?" in english_in(client.get("/login/").content.decode())


@pytest.mark.django_db
def test_errors_of_a_form_are_spanish(busy: Client) -> None:
    page = busy.post("/churches/grace/send/", {"act": "send", "text": ""}).content.decode()
    assert "Revise los campos marcados, por favor." in page
    page = busy.post(
        "/churches/grace/members/new/", {"first_name": "Ann", "phone": "12"}
    ).content.decode()
    assert "no es un número de teléfono al que se pueda escribir" in page
    assert english_in(page) == []


@pytest.mark.django_db
def test_the_cause_of_a_failed_text_is_spanish() -> None:
    with translation.override("es"):
        assert words.explain("expired", "telnyx") == "Venció antes de que se pudiera enviar."
        assert "saldo" in words.explain("20100", "telnyx")
        assert "suspendida" in twilio.explain("20005")
    assert words.explain("expired", "telnyx") == "It expired before it could be sent."


@pytest.mark.django_db
def test_an_invitation_is_written_in_the_language_of_the_church(
    grace: Church, grace_owner: User
) -> None:
    grace.language, grace.timezone = "es", "America/Chicago"
    grace.save()
    invitation, token = invitations.invite(
        grace, email="ann@example.org", role=Role.SENDER, invited_by=grace_owner,
        now=datetime(2026, 12, 1, 18, tzinfo=UTC),
    )  # fmt: skip
    send_invitation(invitation, token)
    (sent,) = mail.outbox
    assert sent.subject == "Invitación a Grace Church en Koinonia"
    assert "le invita al equipo de Grace Church en Koinonia, como remitente." in sent.body
    assert "hasta el 8 de diciembre de 2026 a las 12:00 (hora de America/Chicago):" in sent.body


@pytest.mark.django_db
def test_a_new_password_is_mailed_in_the_language_of_the_page(client: Client) -> None:
    User.objects.create_user("ruth", "ruth@example.org", cast.PASSWORD)
    client.post("/password-reset/", {"email": "ruth@example.org"}, headers=SPANISH)
    (sent,) = mail.outbox
    assert sent.subject == "Una contraseña nueva para Koinonia"
    assert sent.body.startswith("Hola, ruth:")


def test_dates_and_numbers_are_those_of_the_language() -> None:
    moment = datetime(2025, 11, 29, 15, 5, tzinfo=UTC)
    with translation.override("es"), timezone.override("America/Chicago"):
        assert "sábado 29 de noviembre de 2025, 09:05" in str(when(moment, "full"))
        assert (number(12_345), number(0.5)) == ("12,345", "0.5")
    with translation.override("en"), timezone.override("America/Chicago"):
        assert "Saturday, Nov. 29, 2025, 9:05 a.m." in str(when(moment, "full"))


def test_the_details_of_the_audit_log_are_in_words() -> None:
    detail = {"fields": ["phone", "unknown_field"], "role": "owner", "texts": 3}
    with translation.override("es"):
        assert in_words(detail) == [
            ("cambiado", "Número de celular, unknown_field"), ("rol", "Responsable"), ("mensajes", "3"),
        ]  # fmt: skip
