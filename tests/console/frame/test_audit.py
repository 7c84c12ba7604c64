"""The audit log: written with the act, read by owners, without data of people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from koinonia import audit
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.models import AuditEntry, Church
from koinonia.webhooks import endpoints
from tests.console.conftest import signed_in
from tests.console.pages import Costs
from tests.support import cast

PATH = "/api/v1/churches/grace/audit/"


def test_an_act_names_its_subject_by_key(grace: Church, grace_owner: User) -> None:
    mary = cast.member(grace, "Mary", "+13125550142")
    audit.record(grace, grace_owner, "member.changed", mary, {"fields": ["phone"]})
    audit.record(grace, None, "keyword.added", "CHOIR")
    newest, oldest = signed_in(grace_owner).get(PATH).json()["results"]
    assert newest["username"] == ""
    assert newest["subject"] == {"kind": "", "id": None, "label": "CHOIR"}
    assert oldest["action"] == "member.changed"
    assert oldest["subject"]["kind"] == "member"
    assert oldest["detail"] == {"fields": ["phone"]}
    assert "Mary" not in str(oldest)


def test_an_act_is_undone_with_its_transaction(grace: Church, grace_owner: User) -> None:
    with transaction.atomic():
        audit.record(grace, grace_owner, "group.added")
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_an_unknown_act_is_an_error(grace: Church, grace_owner: User) -> None:
    with pytest.raises(KeyError, match="ACTIONS"):
        audit.record(grace, grace_owner, "member.danced")


def test_the_log_is_for_the_owners_of_the_church(
    grace: Church, grace_owner: User, grace_sender: User, hope_owner: User
) -> None:
    audit.record(grace, grace_sender, "group.added")
    assert signed_in(grace_sender).get(PATH).status_code == 403
    assert signed_in(hope_owner).get(PATH).status_code == 404
    assert signed_in(hope_owner).get(PATH.replace("grace", "hope")).json()["results"] == []


def test_the_log_is_filtered(grace: Church, grace_owner: User, grace_sender: User) -> None:
    audit.record(grace, grace_sender, "group.added")
    audit.record(grace, grace_owner, "group.added")
    audit.record(grace, grace_owner, "group.deleted")
    client = signed_in(grace_owner)
    by_owner = client.get(PATH, {"username": grace_owner.username}).json()["results"]
    assert [one["action"] for one in by_owner] == ["group.deleted", "group.added"]
    added = client.get(PATH, {"action": "group.added"}).json()["results"]
    assert len(added) == 2
    assert client.get(PATH, {"action": "dance"}).status_code == 400


def test_the_page_shows_the_acts_in_words(grace: Church, grace_owner: User, costs: Costs) -> None:
    mary = cast.member(grace, "Mary", "+13125550142")
    for _ in range(60):
        audit.record(grace, grace_owner, "member.changed", mary, {"fields": ["phone", "name"]})
    client = signed_in(grace_owner)
    page = client.get("/churches/grace/log/").content.decode()
    assert "Changed a member: Mary" in page
    assert "Mobile number, Name" in page
    assert 25 <= page.count("Changed a member: Mary") <= 50
    assert "Show older" in page
    costs.of(client, "/churches/grace/log/")
    mary.delete()
    assert "Mary" not in client.get("/churches/grace/log/").content.decode()


def test_the_page_names_the_webhook_of_an_act(grace: Church, grace_owner: User) -> None:
    url, types = "https://hooks.example.org/", ["message.received"]
    endpoints.add(grace, grace_owner, name="Website", url=url, types=types, now=timezone.now())
    page = signed_in(grace_owner).get("/churches/grace/log/").content.decode()
    assert ": Website" in page


def test_what_programs_decide_is_recorded_too(grace: Church, grace_owner: User) -> None:
    client = signed_in(grace_owner)
    cast.member(grace, "Mary", "+13125550142")
    base = "/api/v1/churches/grace/"
    later = (timezone.now() + timedelta(days=3)).isoformat()
    text = {"to": "+13125550142", "text": "Hello", "send_at": later}
    sent = client.post(f"{base}messages/", text, "application/json").json()
    client.post(f"{base}messages/{sent['id']}/cancel/")
    client.post(f"{base}messages/{sent['id']}/cancel/")
    everyone = {"audience": {"all": True}, "text": "Hello", "send_at": later}
    broadcast = client.post(f"{base}broadcasts/", everyone, "application/json").json()
    client.post(f"{base}broadcasts/{broadcast['id']}/cancel/")
    acts = [one["action"] for one in client.get(PATH).json()["results"]]
    assert acts == ["broadcast.cancelled", "broadcast.sent", "message.cancelled", "message.sent"]


def test_a_detail_of_an_act_is_said_in_words(grace: Church, grace_owner: User) -> None:
    for detail in ({"through": "page"}, {"through": "api"}, {"types": ["message.received"]}):
        audit.record(grace, grace_owner, "message.sent", detail=detail)
    audit.record(grace, grace_owner, "conversation.assigned", detail={"to": "Uk"})
    audit.record(grace, None, "webhook.disabled", detail={"reason": "failing"})
    client = signed_in(grace_owner)
    page = client.get("/churches/grace/log/").content.decode()
    assert "by: another program" in page
    assert "events: A person has sent a text" in page
    assert "reason: the receiver took no event for 24 hours" in page
    assert not [name for name in ("through", "page", "types", "Uk") if name in _acts(page)]


def _acts(page: str) -> str:
    return page.partition('id="acts"')[2].partition("</section>")[0]


def test_a_long_broadcast_ends_with_an_ellipsis(grace: Church, grace_owner: User) -> None:
    everyone = Audience(everyone=True, as_sent={"all": True})
    cast.member(grace, "Mary", "+13125550142")
    text = "The picnic is on Sunday after service. Bring a salad or a cake for all!"
    send_broadcast(grace, text, everyone, author=grace_owner, now=timezone.now())
    page = signed_in(grace_owner).get("/churches/grace/log/").content.decode()
    assert "Bring a salad or a c…" in _acts(page)
