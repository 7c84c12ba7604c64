"""Owners get an e-mail about a webhook that is off."""

from __future__ import annotations

from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User
from django.utils import timezone

from koinonia.models import Church, WebhookEndpoint
from koinonia.webhooks import notices
from koinonia.webhooks.settle import switch_off
from tests.support.running_system import free_port
from tests.support.webhooks import webhook


class Inbox:
    """An SMTP server that keeps the mails, or refuses them."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []
        self.refuses = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        if self.refuses:
            return "451 Try again later"
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


@pytest.fixture
def inbox(settings: Any) -> Any:
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield inbox
    server.stop()


@pytest.fixture
def dead(grace: Church, grace_owner: User, grace_sender: User) -> WebhookEndpoint:
    for user in (grace_owner, grace_sender):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@mail.example")
    made = webhook(grace, "https://hooks.example.org/")
    switch_off(made, WebhookEndpoint.Off.FAILING, timezone.now())
    return made


def test_each_owner_gets_one_mail_that_says_what_to_do(
    dead: WebhookEndpoint, inbox: Inbox, grace_owner: User
) -> None:
    assert notices.send_due(timezone.now()) == 1
    assert notices.send_due(timezone.now()) == 0
    ((to, content),) = inbox.mails
    assert to == [f"{grace_owner.username}@mail.example"]
    assert f"/churches/grace/webhooks/{dead.mark}/" in content.replace("=\r\n", "")
    assert dead.secret not in content


def test_a_mail_that_the_server_refuses_is_sent_again_later(
    dead: WebhookEndpoint, inbox: Inbox
) -> None:
    inbox.refuses = True
    assert notices.send_due(timezone.now()) == 0
    inbox.refuses = False
    assert notices.send_due(timezone.now()) == 1
    assert len(inbox.mails) == 1


def test_an_owner_who_switches_a_webhook_off_gets_no_mail(
    grace: Church, grace_owner: User, inbox: Inbox
) -> None:
    from koinonia.webhooks import endpoints

    made = webhook(grace, "https://hooks.example.org/")
    endpoints.switch(made, on=False, now=timezone.now())
    assert notices.send_due(timezone.now()) == 0
    assert inbox.mails == []
