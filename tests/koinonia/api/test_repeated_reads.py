"""Conditional reads: a 304 confirms the earlier 200, for every kind of entity tag."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from koinonia.models import Church
from realtime import log
from realtime.log import NewEvent

CHURCH = "/api/v1/churches/grace/"


@pytest.fixture
def browser(grace_owner: User) -> Client:
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(grace_owner)
    return client


@pytest.mark.parametrize("accept", ["text/csv", "*/*", "application/json"])
def test_an_unchanged_export_is_304(browser: Client, accept: str) -> None:
    path = f"{CHURCH}dead-letters/export/"
    first = browser.get(path, headers={"Accept": accept})
    again = browser.get(path, headers={"Accept": accept, "If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again["ETag"] == first["ETag"]
    assert "Content-Type" not in again.headers


@pytest.mark.parametrize("number", [1, 200], ids=["few", "many"])
@pytest.mark.django_db(transaction=True)
def test_unchanged_events_keep_their_tag(browser: Client, grace: Church, number: int) -> None:
    with transaction.atomic():
        events = [NewEvent("message.status", {"message": str(n)}) for n in range(number)]
        log.append({"church:grace": events}, now=timezone.now())
    path = f"{CHURCH}events/?after=0"
    first = browser.get(path)
    assert first.has_header("Content-Encoding") == (number > 1)
    again = browser.get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again["ETag"]) == (304, first["ETag"])
    assert again["Vary"] == first["Vary"]
