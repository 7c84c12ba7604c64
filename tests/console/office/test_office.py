"""Settings, automatic answers, staff and the account of the user, without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from delivery.limits import spend
from koinonia.accounts import invitations
from koinonia.ids import encode
from koinonia.models import AuditEntry, Church, Invitation, Role, Staff
from tests.console.conftest import signed_in
from tests.console.pages import Costs
from tests.support import cast

BASE = "/churches/grace/"


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def form_of(client: Client, page: str) -> dict[str, str]:
    """Return the values of the form, as a browser would send them."""
    content = client.get(f"{BASE}{page}").content.decode()
    form = client.get(f"{BASE}{page}").context["form"]
    values = {
        field.html_name: "on" if value is True else str(value)
        for field in form
        if (value := field.value()) not in (None, "", False)
    }
    version = re.search(r'name="version" value="(\d+)"', content)
    return {**values, "version": version[1] if version else ""}


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_an_owner_saves_the_settings(owner: Client, grace: Church) -> None:
    given = form_of(owner, "settings/")
    given |= {
        "timezone": "America/Chicago", "language": "es", "signature": "Grace", "opt_out_words": "ALTO",
        "part_price": "0.014", "daily_cap": "500",
    }  # fmt: skip
    assert owner.post(f"{BASE}settings/", given).status_code == 302
    grace.refresh_from_db()
    assert (grace.timezone, grace.language, str(grace.part_price)) == (
        "America/Chicago",
        "es",
        "0.0140",
    )
    assert spend.caps(grace.pk) == (20_000, 500)
    assert acts() == ["church.changed"]
    assert form_of(owner, "settings/")["daily_cap"] == "500"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"timezone": "Mars"}, "This is not a time zone"), ({"opt_out_words": "START"}, "another meaning"),
        ({"part_price": "-1"}, "A price is 0 or more."), ({"name": ""}, "required"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_explained_and_nothing_typed_is_lost(
    owner: Client, change: dict[str, str], sentence: str
) -> None:
    refused = owner.post(
        f"{BASE}settings/", {**form_of(owner, "settings/"), "signature": "Typed words", **change}
    )
    assert refused.status_code == 422
    assert sentence in text_of(refused)
    assert "Typed words" in text_of(refused)


def test_a_change_of_a_colleague_is_not_overwritten(owner: Client, grace: Church) -> None:
    given = form_of(owner, "settings/")
    Church.objects.update(signature="Theirs")
    stale = owner.post(f"{BASE}settings/", {**given, "signature": "Mine"})
    assert stale.status_code == 422
    assert "Now it is: Theirs" in text_of(stale)
    assert Church.objects.get().signature == "Theirs"


def test_a_sender_reads_the_settings_and_does_not_save_them(grace_sender: User) -> None:
    client = signed_in(grace_sender)
    for page in ("settings/", "answers/"):
        shown = text_of(client.get(f"{BASE}{page}"))
        assert shown.index("Owners of the church change this.") < shown.index("<fieldset")
        assert client.post(f"{BASE}{page}", {"name": "Mine"}).status_code == 403


def test_an_owner_sets_the_automatic_answers(owner: Client, grace: Church) -> None:
    given = form_of(owner, "answers/")
    given |= {
        "mon_from": "09:00",
        "mon_until": "17:00",
        "answers_when_closed": "on",
        "closed_answer": "We are closed.",
    }
    assert owner.post(f"{BASE}answers/", given).status_code == 302
    grace.refresh_from_db()
    assert (grace.office_hours, grace.answers_when_closed) == ({"mon": ["09:00", "17:00"]}, True)
    assert acts() == ["answers.changed"]
    assert form_of(owner, "answers/")["mon_from"] == "09:00"


def test_mondays_hours_are_filled_in_until_friday_and_wait_for_save(
    owner: Client, grace: Church
) -> None:
    given = form_of(owner, "answers/") | {"mon_from": "09:00", "mon_until": "17:00"}
    page = text_of(owner.post(f"{BASE}answers/", {**given, "action": "weekdays"}))
    assert "They are not saved yet." in page
    assert (page.count('value="09:00"'), page.count('value="17:00"')) == (5, 5)
    assert f'name="version" value="{given["version"]}"' in page
    grace.refresh_from_db()
    assert grace.office_hours is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"answers_when_closed": "on"}, "Name the office hours first"),
        ({"mon_from": "17:00", "mon_until": "09:00"}, "the earlier one first"),
        ({"mon_from": "09:00"}, "write two times"), ({"closed_answer": "Hi {nickname}"}, "Unknown placeholder"),
    ],
)  # fmt: skip
def test_bad_answers_are_explained(owner: Client, change: dict[str, str], sentence: str) -> None:
    refused = owner.post(f"{BASE}answers/", {**form_of(owner, "answers/"), **change})
    assert refused.status_code == 422
    assert sentence in text_of(refused)


def test_an_owner_invites_by_e_mail_and_withdraws(owner: Client, grace: Church) -> None:
    assert (
        owner.post(f"{BASE}staff/", {"whom": "ruth@example.org", "role": "sender"}).status_code
        == 302
    )
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, len(mail.outbox)) == (
        "ruth@example.org",
        "sender",
        1,
    )
    page = text_of(owner.get(f"{BASE}staff/"))
    assert "ruth@example.org is invited." in page
    owner.post(f"{BASE}staff/invitations/{encode(invitation.pk)}/withdraw/")
    assert not Invitation.objects.exists()
    assert acts() == ["staff.invited", "staff.withdrawn"]


@pytest.mark.parametrize(
    ("whom", "why"),
    [
        ("", "required"), ("not an address@", "valid email"), ("Ruth Ames", "nor a user name"),
        ("grace-owner", "already"),
    ],
)  # fmt: skip
def test_a_bad_invitation_is_explained(owner: Client, whom: str, why: str) -> None:
    refused = owner.post(f"{BASE}staff/", {"whom": whom, "role": "sender"})
    assert refused.status_code == 422
    assert b'aria-invalid="true"' in refused.content
    assert why in text_of(refused)
    assert not Invitation.objects.exists()


def test_too_many_invitations_are_refused_for_a_while(db: None, settings: Any) -> None:
    # The limit counts by church: tests of another church have used up nothing here.
    owner = signed_in(cast.staff(cast.church("mercy", "+13125550300"), Role.OWNER))
    policies = settings.THROTTLING["POLICIES"]
    few = {**policies, "invitations": {**policies["invitations"], "rate": "1/h"}}
    settings.THROTTLING = {**settings.THROTTLING, "POLICIES": few, "ENABLED": True}
    codes = [
        owner.post("/churches/mercy/staff/", {"whom": f"user{n}", "role": "viewer"}).status_code
        for n in range(2)
    ]
    assert codes == [302, 429]


def test_roles_change_and_the_last_owner_stays(owner: Client, grace: Church) -> None:
    sender = cast.staff(grace, Role.SENDER)
    membership = Staff.objects.get(user=sender)
    path = f"{BASE}staff/{encode(membership.pk)}/"
    owner.post(f"{path}role/", {"role": "viewer"})
    assert Staff.objects.get(user=sender).role == "viewer"
    mine = Staff.objects.get(church=grace, role="owner")
    owner.post(f"{BASE}staff/{encode(mine.pk)}/role/", {"role": "viewer", "sure": "yes"})
    assert "A church keeps at least one owner." in text_of(owner.get(f"{BASE}staff/"))
    owner.post(f"{BASE}account/leave/")
    assert Staff.objects.filter(pk=mine.pk, role="owner").exists()
    assert "Remove grace-sender from the staff?" in text_of(owner.get(f"{path}remove/"))
    owner.post(f"{path}remove/")
    assert not Staff.objects.filter(user=sender).exists()
    assert acts() == ["staff.changed", "staff.removed"]


def test_a_sender_leaves(grace_sender: User, grace: Church) -> None:
    client = signed_in(grace_sender)
    assert "Leave the staff of Grace Church?" in text_of(client.get(f"{BASE}account/leave/"))
    assert client.post(f"{BASE}account/leave/")["Location"] == "/"
    assert not Staff.objects.filter(user=grace_sender).exists()
    assert client.get(BASE).status_code == 404


def test_only_owners_change_the_staff(grace_sender: User, grace: Church, hope_owner: User) -> None:
    mine = Staff.objects.get(user=grace_sender)
    for user, code in ((grace_sender, 403), (hope_owner, 404)):
        client = signed_in(user)
        for path in (
            "staff/",
            f"staff/{encode(mine.pk)}/role/",
            f"staff/{encode(mine.pk)}/remove/",
        ):
            assert client.post(f"{BASE}{path}", {"role": "owner"}).status_code == code
    client = signed_in(hope_owner)
    assert client.post(f"/churches/hope/staff/{encode(mine.pk)}/remove/").status_code == 404
    assert Staff.objects.get(user=grace_sender).role == "sender"


def test_signing_out_everywhere_ends_all_sessions(grace_viewer: User) -> None:
    here, elsewhere = signed_in(grace_viewer), signed_in(grace_viewer)
    assert here.post(f"{BASE}account/sign-out-everywhere/")["Location"] == "/login/"
    assert elsewhere.get(BASE).status_code == 302
    assert acts() == ["session.ended"]


def test_a_colleague_who_accepts_an_invitation_is_in_the_log(owner: Client, grace: Church) -> None:
    ruth = User.objects.create_user("ruth")
    owner.post(f"{BASE}staff/", {"whom": "ruth", "role": "viewer"})
    invitation = invitations.for_user(ruth, timezone.now()).get()
    assert invitations.accept(invitation, ruth, timezone.now())
    assert acts() == ["staff.invited", "staff.joined"]
    assert AuditEntry.objects.latest("pk").username == "ruth"


@pytest.mark.parametrize("page", ["settings/", "answers/", "staff/", "account/"])
def test_each_page_costs_few_queries(owner: Client, costs: Costs, page: str) -> None:
    costs.of(owner, f"{BASE}{page}")
