"""A database that came back from its backup must not be trusted by its numbers."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from koinonia.models import Church
from tests.koinonia.conftest import API

# The stream is read in a thread of its own, which has to see what was written.
pytestmark = pytest.mark.django_db(transaction=True)
MEMBERS, EVENTS = f"{API}churches/grace/members/", f"{API}churches/grace/events/"


def test_what_clients_held_before_a_restore_is_not_taken_for_the_present(
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
