"""Positions and ETags after the restore of a backup, whose counters are lower than before."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from koinonia.models import Church
from tests.koinonia.conftest import API

# Another thread reads the stream, so the writes must be committed.
pytestmark = pytest.mark.django_db(transaction=True)
MEMBERS, EVENTS = f"{API}churches/grace/members/", f"{API}churches/grace/events/"


def test_positions_and_etags_from_before_a_restore_are_invalid(
    grace: Church, viewer: APIClient, capsys: pytest.CaptureFixture[str]
) -> None:
    tag = viewer.get(MEMBERS)["ETag"]
    held = viewer.get(EVENTS).json()
    assert viewer.get(MEMBERS, headers={"If-None-Match": tag}).status_code == 304

    call_command("begin_epoch")

    assert "begin a new epoch" in capsys.readouterr().out
    assert viewer.get(MEMBERS, headers={"If-None-Match": tag}).status_code == 200
    told = viewer.get(EVENTS, {"after": held["to"], "epoch": held["epoch"]}).json()
    assert (told["reset"], told["epoch"] != held["epoch"]) == (True, True)
