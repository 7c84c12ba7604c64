"""The list of a user's sessions, by browser."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from koinonia.accounts import devices
from koinonia.accounts.devices import name_of, network_of
from koinonia.models import AuditEntry, Church, UserSession
from tests.console.conftest import signed_in
from tests.console.office.test_office import text_of
from tests.console.pages import Costs
from tests.support import cast
from throttling.addresses import parse

ACCOUNT = "/churches/grace/account/"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
LAPTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"


@pytest.fixture(autouse=True)
def nothing_stored() -> None:
    devices._stored.clear()


def sign_in(user: User, agent: str, address: str = "203.0.113.77") -> Client:
    """Sign in by the page, with the headers of a browser."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    body = {"username": user.username, "password": cast.PASSWORD}
    assert client.post("/login/", body).status_code == 302
    return client


def ends(client: Client) -> list[str]:
    """Return the paths of the buttons that sign one browser out."""
    return re.findall(r'action="([^"]*/sessions/\w+/end/)"', client.get(ACCOUNT).content.decode())


def test_the_page_lists_browsers_with_times_and_coarse_networks(grace_viewer: User) -> None:
    sign_in(grace_viewer, PHONE, "2001:db8:1:2:3::4")
    here = sign_in(grace_viewer, LAPTOP)
    page = here.get(ACCOUNT).content.decode()
    for words in (
        "Firefox on Windows</strong> <span", "This browser", "Safari on iPhone", "203.0.113.0/24",
        "2001:db8:1::/48", "signed in", "Sign out all other browsers",
    ):  # fmt: skip
        assert words in page, words
    for secret in ("203.0.113.77", *UserSession.objects.values_list("session_key", flat=True)):
        assert secret not in page


def test_one_browser_is_signed_out(grace_viewer: User) -> None:
    here, phone, tablet = (sign_in(grace_viewer, agent) for agent in (LAPTOP, PHONE, "iPad Safari"))
    assert len(ends(here)) == 2
    of_tablet = re.search(r'iPad.*?action="([^"]*)"', text_of(here.get(ACCOUNT)))
    assert of_tablet is not None
    assert "That browser is signed out." in text_of(here.post(of_tablet[1], follow=True))
    statuses = [client.get(ACCOUNT).status_code for client in (here, phone, tablet)]
    assert statuses == [200, 200, 302]
    assert AuditEntry.objects.latest("pk").action == "session.ended"
    assert here.post(of_tablet[1]).status_code == 404


def test_all_other_browsers_are_signed_out(grace_viewer: User) -> None:
    here, phone, tablet = (sign_in(grace_viewer, agent) for agent in (LAPTOP, PHONE, "iPad Safari"))
    assert here.post(f"{ACCOUNT}sessions/others/").status_code == 302
    statuses = [client.get(ACCOUNT).status_code for client in (here, phone, tablet)]
    assert statuses == [200, 302, 302]
    assert ends(here) == []


def test_nobody_ends_the_session_of_a_colleague(grace_viewer: User, grace_owner: User) -> None:
    other = sign_in(grace_owner, LAPTOP)
    sign_in(grace_owner, PHONE)
    mine = sign_in(grace_viewer, PHONE)
    [path] = ends(other)
    assert mine.post(path).status_code == 404
    mine.post(f"{ACCOUNT}sessions/others/")
    assert other.get(ACCOUNT).status_code == 200


def test_a_session_keeps_its_device_when_its_key_changes(grace_viewer: User) -> None:
    here = sign_in(grace_viewer, LAPTOP)
    before = here.session.session_key
    session: Any = here.session
    session.cycle_key()
    row = UserSession.objects.get()
    assert (row.session_key == before, row.agent) == (False, LAPTOP)


def test_a_session_of_an_earlier_password_or_release_is_shown_as_it_is(grace_viewer: User) -> None:
    sign_in(grace_viewer, PHONE)
    grace_viewer.set_password(cast.PASSWORD)
    grace_viewer.save()
    here = sign_in(grace_viewer, LAPTOP)
    assert ends(here) == []
    signed_in(grace_viewer)
    UserSession.objects.exclude(agent=LAPTOP).update(agent="", network="", started_at=None)
    page = text_of(here.get(ACCOUNT))
    assert "An unknown browser" in page


def test_the_last_page_is_stored_every_ten_minutes(grace_viewer: User, grace: Church) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        phone = sign_in(grace_viewer, PHONE)
        seen = []
        for minutes in (1, 8, 12, 13, 40):
            clock.move_to(now + timedelta(minutes=minutes))
            phone.get(ACCOUNT)
            seen.append(UserSession.objects.get().seen_at)
    late = [now + timedelta(minutes=minutes) for minutes in (12, 40)]
    assert seen == [now, now, late[0], late[0], late[1]]


def test_a_long_list_is_cut_and_says_so(
    grace_viewer: User, monkeypatch: pytest.MonkeyPatch, costs: Costs
) -> None:
    monkeypatch.setattr(devices, "MOST_SHOWN", 3)
    for number in range(5):
        sign_in(grace_viewer, f"{PHONE} {number}")
    here = sign_in(grace_viewer, LAPTOP)
    assert "There are more. The last 3 are shown." in text_of(here.get(ACCOUNT))
    assert len(ends(here)) == 2
    costs.of(here, ACCOUNT)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (PHONE, "Safari on iPhone"), (LAPTOP, "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Mac"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/141.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Linux; Android 15) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36", "Samsung Internet on Android"),
        ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/141.0 Safari/537.36", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0) CriOS/141.0 Safari/604.1", "Chrome on iPad"),
        ("curl/8.0", "An unknown browser"), ("", "An unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_words(agent: str, name: str) -> None:
    assert name_of(agent) == name


def test_an_address_is_kept_as_a_network() -> None:
    found = [network_of(parse(text)) for text in ("203.0.113.77", "2001:db8:1:2::3", "nothing")]
    assert found == ["203.0.113.0/24", "2001:db8:1::/48", ""]
