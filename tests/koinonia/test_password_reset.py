"""Password resets by e-mail: real SMTP, the same answer for every address, rate limits."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.accounts import mail
from tests.koinonia_throttling.conftest import full_buckets
from tests.support import cast
from tests.support.mail_sink import Sink
from tests.support.waiting import wait_until

__all__ = ["full_buckets"]

RESET = "/password-reset/"
NEW = "another one, and long"


@pytest.fixture
def limited(swift: None, settings: Any) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "ENABLED": True}


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as sink:
        sink.use(settings)
        yield sink


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna", email="anna@mail.example", password=cast.PASSWORD)


def ask(address: str, **extra: Any) -> Any:
    return Client().post(RESET, {"email": address}, **extra)


def test_the_mailed_link_works_once(anna: User, sink: Sink) -> None:
    assert ask("anna@mail.example")["Location"] == "/password-reset/sent/"
    wait_until(sink.texts)
    assert sink.envelopes[0].rcpt_tos == ["anna@mail.example"]
    [link] = re.findall(r"http://testserver(/password-reset/\S+)", sink.texts()[0])
    browser = Client()
    page = browser.get(link)["Location"]
    assert b"For anna" in browser.get(page).content
    browser.post(page, {"new_password1": NEW, "new_password2": NEW})
    assert User.objects.get(pk=anna.pk).check_password(NEW)
    assert b"This link has ended" in Client().get(link, follow=True).content


def test_known_and_unknown_addresses_get_the_same_answer(anna: User, sink: Sink) -> None:
    known, unknown = ask("ANNA@mail.example"), ask("nobody@mail.example")
    assert known.status_code == unknown.status_code == 302
    assert known["Location"] == unknown["Location"]
    assert sorted(known.headers) == sorted(unknown.headers)
    wait_until(sink.texts)
    assert [envelope.rcpt_tos for envelope in sink.envelopes] == [["anna@mail.example"]]


def test_the_answer_does_not_wait_for_the_mail_server(anna: User, settings: Any) -> None:
    """Measure the answer's time: a wait would tell that the address has an account."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = mute.getsockname()
        settings.EMAIL_TIMEOUT = 30
        assert ask("anna@mail.example").status_code == 302
        sending = [one for one in threading.enumerate() if one.name == "koinonia-mail"]
        assert len(sending) == 1
        peer, _ = mute.accept()
        peer.close()
        sending[0].join(20)
        assert not sending[0].is_alive()


def test_waiting_mails_are_limited(
    anna: User, sink: Sink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = threading.BoundedSemaphore(1)
    assert full.acquire(blocking=False)
    monkeypatch.setattr(mail, "_slots", full)
    assert ask("anna@mail.example").status_code == 302
    assert "A mail was not sent" in caplog.text


def test_the_link_leads_to_the_public_url(anna: User, sink: Sink, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    ask("anna@mail.example", headers={"Host": "evil.example"})
    wait_until(sink.texts)
    assert "evil.example" not in sink.texts()[0]


def test_resets_are_limited_by_mail_address(anna: User, limited: None) -> None:
    codes = [ask("anna@mail.example").status_code for _ in range(6)]
    assert codes == [302] * 5 + [429]
    assert [ask("nobody@mail.example").status_code for _ in range(5)] == [302] * 5
    # The limit is ten a minute per client address.
    assert ask("other@mail.example").status_code == 429


def test_a_reset_does_not_count_against_the_login_limit(anna: User, limited: None) -> None:
    for _ in range(5):
        ask("anna")
    good = {"username": "anna", "password": cast.PASSWORD}
    assert Client().post("/login/", good).status_code == 302


def test_a_disabled_account_gets_no_mail(anna: User, sink: Sink) -> None:
    User.objects.update(is_active=False)
    assert ask("anna@mail.example").status_code == 302
    User.objects.create_user("ben", email="ben@mail.example", password=cast.PASSWORD)
    ask("ben@mail.example")
    wait_until(sink.texts)
    assert [envelope.rcpt_tos for envelope in sink.envelopes] == [["ben@mail.example"]]


@pytest.mark.parametrize("path", ["%00/x", "Mg/set-password", "x/%00", "MQ/" + "a" * 500])
def test_an_invalid_link_shows_the_page_of_an_ended_link(db: None, path: str) -> None:
    assert b"This link has ended" in Client().get(f"{RESET}{path}/").content


@pytest.mark.parametrize("address", ["", "x", "a\x00@mail.example", "a" * 300 + "@mail.example"])
def test_an_invalid_address_shows_an_error(db: None, address: str) -> None:
    answer = ask(address)
    assert answer.status_code == 200
    assert b'class="problem"' in answer.content


def test_the_login_page_links_to_the_reset(client: Client, db: None) -> None:
    assert b'href="/password-reset/"' in client.get("/login/").content
    assert b"/password_reset/" in client.get("/admin/login/").content


def test_the_password_page_changes_the_password_and_signs_out(anna: User) -> None:
    browser = Client()
    browser.force_login(anna)
    form = {"old_password": cast.PASSWORD, "new_password1": NEW, "new_password2": NEW}
    wrong = browser.post("/password/", {**form, "old_password": "no"})
    assert b"old password was entered incorrectly" in wrong.content
    assert browser.get("/admin/password_change/")["Location"] == "/password/"
    done = browser.post("/password/", form, follow=True)
    assert b"Sign in with the new one" in done.content
    assert browser.get("/")["Location"].startswith("/login/")


def test_guesses_at_the_current_password_are_limited(anna: User, limited: None) -> None:
    browser = Client()
    browser.force_login(anna)
    form = {"old_password": "guess", "new_password1": NEW, "new_password2": NEW}
    assert [browser.post("/password/", form).status_code for _ in range(6)] == [200] * 5 + [429]


def test_a_blank_current_password_is_no_guess(anna: User, limited: None) -> None:
    browser = Client()
    browser.force_login(anna)
    form = {"old_password": "", "new_password1": NEW, "new_password2": NEW}
    assert [browser.post("/password/", form).status_code for _ in range(7)] == [200] * 7
    guess = {**form, "old_password": "guess"}
    assert [browser.post("/password/", guess).status_code for _ in range(6)] == [200] * 5 + [429]
