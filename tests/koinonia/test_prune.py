from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from knox.models import AuthToken

from koinonia.models import Invitation, Staff, TokenDetails, UserSession
from realtime.models import Ticket


@pytest.fixture
def old_token(grace_owner: User) -> AuthToken:
    token: AuthToken = AuthToken.objects.create(user=grace_owner, expiry=timedelta(days=-1))[0]
    return token


def test_a_dry_run_counts_rows_and_deletes_nothing(
    old_token: AuthToken, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("prune", "--dry-run")
    lines = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["tokens"].split() == ["tokens", "1", "would", "be", "deleted"]
    assert AuthToken.objects.filter(pk=old_token.pk).exists()


def test_only_expired_rows_are_deleted(old_token: AuthToken, grace_owner: User) -> None:
    fresh = AuthToken.objects.create(user=grace_owner)[0]
    soon = timezone.now() + timedelta(seconds=30)
    ticket = Ticket.objects.create(digest="x", user=grace_owner, session_hash="", expires_at=soon)
    call_command("prune")
    assert list(AuthToken.objects.values_list("pk", flat=True)) == [fresh.pk]
    assert Ticket.objects.get() == ticket


def test_orphaned_account_rows_are_deleted(
    old_token: AuthToken, grace_owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    now = timezone.now()
    for days in (-1, 1):
        Invitation.objects.create(
            church=Staff.objects.get().church, role="viewer", email=f"{days}@mail.example",
            created_at=now, expires_at=now + timedelta(days=days),
        )  # fmt: skip
    UserSession.objects.create(session_key="gone", user=grace_owner)
    TokenDetails.objects.create(token_id="gone", fingerprint="x")
    call_command("prune")
    told = {line.split("  ")[0]: line.split()[-2] for line in capsys.readouterr().out.splitlines()}
    names = ("tokens", "invitations", "ended sessions", "token details")
    assert [told[name] for name in names] == ["1"] * 4
    assert Invitation.objects.get().email == "1@mail.example"
    assert not TokenDetails.objects.exists()


def test_a_run_writes_one_line_and_a_dry_run_none(
    old_token: AuthToken, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "koinonia.retention"):
        call_command("prune", "--dry-run")
        assert not caplog.records
        call_command("prune")
    [line] = [vars(record) for record in caplog.records]
    assert (line["levelname"], line["action"], line["rows"]) == ("INFO", "prune_done", 1)
    assert line["seconds"] >= 0
