"""Webhook events and opt-outs in the admin: readable without personal data, replayed by permission."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from delivery.models import OptOut
from delivery.tracking.events import apply_waiting_events
from koinonia.models import Church
from tests.delivery.webhooks.stored_events import NOW, PERSON, event, sent

LIST = "/admin/delivery/webhookevent/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def support(settings: Any) -> Client:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    user = User.objects.create_user("support", is_staff=True)
    for name in ("view_webhookevent", "change_webhookevent", "view_optout"):
        user.user_permissions.add(Permission.objects.get(codename=name))
    client = Client()
    client.force_login(user)
    return client


def test_events_are_read_without_personal_data(support: Client, grace: Church) -> None:
    one = event()
    for path in (LIST, f"{LIST}?unmatched=yes", f"{LIST}{one.pk}/change/"):
        page = support.get(path).content.decode()
        assert "5550177" not in page
        assert "secret words" not in page
    assert "+131•••••177" in page
    assert "No text has this id" in page


def test_a_replay_is_ordered_on_the_page_and_logged(support: Client, grace: Church) -> None:
    sent(grace)
    one = event()
    apply_waiting_events(NOW)
    answer = support.post(f"{LIST}{one.pk}/change/", {"_replay": "Replay"}, follow=True)
    assert "Workers apply again: 1." in answer.content.decode()
    one.refresh_from_db()
    assert one.applied_at is None
    assert LogEntry.objects.get().change_message == "Replayed."
    chosen = {"action": "close_selected", "_selected_action": [str(one.pk)]}
    answer = support.post(LIST, chosen, follow=True)
    assert "Closed: 1." in answer.content.decode()
    assert LogEntry.objects.count() == 2


def test_a_reader_cannot_replay(support: Client, grace: Church) -> None:
    user = User.objects.get(username="support")
    user.user_permissions.remove(Permission.objects.get(codename="change_webhookevent"))
    one = event()
    assert "_replay" not in support.get(f"{LIST}{one.pk}/change/").content.decode()
    assert support.post(f"{LIST}{one.pk}/change/", {"_replay": "Replay"}).status_code == 403
    support.post(LIST, {"action": "close_selected", "_selected_action": [str(one.pk)]})
    one.refresh_from_db()
    assert one.applied_at is None


def test_opt_outs_are_found_by_the_whole_number_and_shown_masked(
    support: Client, grace: Church
) -> None:
    row = OptOut.objects.create(tenant=grace, number=PERSON, source="keyword", created_at=NOW)
    for path in ("?q=%2B13125550177", "", f"{row.pk}/change/"):
        page = support.get(f"/admin/delivery/optout/{path}", follow=True).content.decode()
        assert "+131•••••177" in page, path
        # Links of the list repeat the search, as each list of the admin does.
        assert "q=" in path or "5550177" not in page
    assert "+131•" not in support.get("/admin/delivery/optout/?q=5550177").content.decode()
