"""A church keeps its last owner, in the admin and in the API."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from koinonia.ids import encode
from koinonia.models import Church, Role, Staff
from tests.support import cast
from tests.support.races import at_once

STAFF = "/admin/koinonia/staff/"
SENTENCE = b"A church keeps at least one owner."


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def place(grace: Church, grace_owner: User) -> Staff:
    return Staff.objects.get(church=grace, user=grace_owner)


def owners(church: Church) -> int:
    return Staff.objects.filter(church=church, role=Role.OWNER).count()


def inline(place: Staff, **over: Any) -> dict[str, Any]:
    """Return the admin's form data of the church with one membership."""
    church = place.church
    return {
        "slug": church.slug, "name": church.name, "phone_number": church.phone_number,
        "country": church.country, "timezone": church.timezone,
        "staff-TOTAL_FORMS": 1, "staff-INITIAL_FORMS": 1, "staff-0-id": place.pk,
        "staff-0-church": church.pk, "staff-0-user": place.user_id, "staff-0-role": "owner", **over,
    }  # fmt: skip


@pytest.mark.parametrize("door", ["one", "many", "user", "users"])
def test_the_admin_does_not_delete_the_last_owner(
    admin: Client, grace: Church, place: Staff, door: str
) -> None:
    chosen = {"action": "delete_selected", "post": "yes"}
    answer = {
        "one": lambda: admin.post(f"{STAFF}{place.pk}/delete/", {"post": "yes"}),
        "many": lambda: admin.post(STAFF, {**chosen, "_selected_action": place.pk}),
        "user": lambda: admin.post(f"/admin/auth/user/{place.user_id}/delete/", {"post": "yes"}),
        "users": lambda: admin.post(
            "/admin/auth/user/", {**chosen, "_selected_action": place.user_id}
        ),
    }[door]()
    assert owners(grace) == 1
    assert SENTENCE in getattr(answer, "content", b"") or answer.status_code == 403


def test_the_admin_does_not_change_the_last_owners_role(
    admin: Client, grace: Church, hope: Church, place: Staff
) -> None:
    for role, church in (("viewer", grace), ("owner", hope)):
        form = {"church": church.pk, "user": place.user_id, "role": role}
        assert SENTENCE in admin.post(f"{STAFF}{place.pk}/change/", form).content
    assert owners(grace) == 1


@pytest.mark.parametrize("change", [{"staff-0-role": "viewer"}, {"staff-0-DELETE": "on"}])
def test_the_form_of_a_church_keeps_an_owner(
    admin: Client, grace: Church, place: Staff, change: dict[str, str]
) -> None:
    answer = admin.post(f"/admin/koinonia/church/{grace.pk}/change/", inline(place, **change))
    assert SENTENCE in answer.content
    assert owners(grace) == 1


def test_an_owner_can_leave_if_the_form_adds_another(
    admin: Client, grace: Church, place: Staff, stranger: User
) -> None:
    form = inline(place) | {
        "staff-0-role": "viewer", "staff-TOTAL_FORMS": 2, "staff-1-church": grace.pk,
        "staff-1-user": stranger.pk, "staff-1-role": "owner",
    }  # fmt: skip
    answer = admin.post(f"/admin/koinonia/church/{grace.pk}/change/", form)
    assert answer.status_code == 302
    assert Staff.objects.get(church=grace, role=Role.OWNER).user == stranger


def test_one_of_two_owners_may_be_deleted_but_not_both(
    admin: Client, grace: Church, place: Staff, stranger: User
) -> None:
    other = Staff.objects.create(church=grace, user=stranger, role=Role.OWNER)
    both = {"action": "delete_selected", "post": "yes", "_selected_action": [place.pk, other.pk]}
    assert SENTENCE in admin.post(STAFF, both).content
    assert admin.post(f"{STAFF}{other.pk}/delete/", {"post": "yes"}).status_code == 302
    assert owners(grace) == 1


def test_a_church_is_deleted_with_its_owners(admin: Client, grace: Church, place: Staff) -> None:
    answer = admin.post(f"/admin/koinonia/church/{grace.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not Staff.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["delete", "patch"])
def test_one_of_two_owners_who_resign_in_a_race_stays(
    grace: Church, grace_owner: User, verb: str
) -> None:
    second = User.objects.create_user("second", password=cast.PASSWORD)
    Staff.objects.create(church=grace, user=second, role=Role.OWNER)
    codes: list[int] = []

    def resign(user: User) -> None:
        client = APIClient()
        client.force_authenticate(user)
        place = encode(Staff.objects.get(church=grace, user=user).pk)
        answer: Any = getattr(client, verb)(
            f"/api/v1/churches/grace/staff/{place}/", {"role": "viewer"}, format="json"
        )
        codes.append(answer.status_code)

    at_once([partial(resign, user) for user in (grace_owner, second)])
    assert sorted(codes) == [{"delete": 204, "patch": 200}[verb], 400]
    assert owners(grace) == 1


def test_a_disabled_owner_does_not_count_as_the_remaining_owner(
    owner: APIClient, grace: Church, place: Staff, stranger: User
) -> None:
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    disabled = Staff.objects.create(church=grace, user=stranger, role=Role.OWNER)
    staff = "/api/v1/churches/grace/staff/"
    assert owner.delete(f"{staff}me/").status_code == 400
    demoted = owner.patch(f"{staff}{encode(place.pk)}/", {"role": "viewer"}, format="json")
    assert demoted.status_code == 400
    assert owner.delete(f"{staff}{encode(disabled.pk)}/").status_code == 204
    assert Staff.objects.get(church=grace, role=Role.OWNER) == place


def test_a_disabled_owner_can_leave_if_another_disabled_owner_stays(
    admin: Client, grace: Church, place: Staff, stranger: User
) -> None:
    Staff.objects.create(church=grace, user=stranger, role=Role.OWNER)
    User.objects.filter(pk__in=[stranger.pk, place.user_id]).update(is_active=False)
    assert admin.post(f"{STAFF}{place.pk}/delete/", {"post": "yes"}).status_code == 302
    assert owners(grace) == 1
