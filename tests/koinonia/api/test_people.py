"""Members, groups, the church and its staff."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from koinonia import ids
from koinonia.ids import encode
from koinonia.models import Church, Group, Member, Role, Staff
from tests.support import cast

G = "/api/v1/churches/grace/"


def test_a_member_is_created_changed_and_removed(owner: APIClient, grace: Church) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    body = {
        "first_name": "Zoë",
        "last_name": "O'Hara",
        "phone": "312.555.0144",
        "groups": [encode(choir.pk)],
    }
    made = owner.post(G + "members/", body, format="json")
    assert made.status_code == 201
    assert list(made.json()) == [
        "id", "first_name", "last_name", "phone", "groups", "opted_out", "created_at", "updated_at", "etag",
    ]  # fmt: skip
    assert made.json()["groups"] == [{"id": encode(choir.pk), "name": "Choir"}]
    item = made["Location"]
    changed = owner.patch(item, {"last_name": "", "groups": []}, format="json").json()
    assert (changed["first_name"], changed["last_name"], changed["groups"]) == ("Zoë", "", [])
    assert changed == owner.get(item).json()
    assert changed["etag"] != made.json()["etag"]
    assert owner.delete(item).status_code == 204
    assert owner.get(item).status_code == 404


def test_staff_may_set_an_opt_out_and_only_start_removes_it(owner: APIClient, anna: Member) -> None:
    item = f"{G}members/{encode(anna.pk)}/"
    assert owner.patch(item, {"opted_out": True}, format="json").json()["opted_out"]
    refused = owner.patch(item, {"opted_out": False, "last_name": "X"}, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["opted_out"])
    assert owner.get(item).json()["last_name"] == "Lee"


@pytest.mark.parametrize("words", ["ann", "LEE", "anna lee", "lee ann", "555-0111", "+1312"])
def test_a_member_is_found_by_words_and_digits(
    viewer: APIClient, anna: Member, ben: Member, words: str
) -> None:
    page = viewer.get(G + "members/", {"search": words}).json()["results"]
    assert "Anna" in [member["first_name"] for member in page]


def test_members_of_a_group(viewer: APIClient, grace: Church, anna: Member, ben: Member) -> None:
    choir = Group.objects.create(church=grace, name="Choir")
    choir.members.add(ben)
    page = viewer.get(f"{G}members/?group={encode(choir.pk)}").json()["results"]
    assert [member["first_name"] for member in page] == ["Ben"]
    assert viewer.get(G + "groups/").json()["results"][0]["members_count"] == 1
    assert viewer.get(G).json()["members_count"] == 2


def test_a_group_name_is_unique(owner: APIClient) -> None:
    assert owner.post(G + "groups/", {"name": "Choir"}, format="json").status_code == 201
    again = owner.post(G + "groups/", {"name": "Choir"}, format="json")
    assert list(again.json()["errors"]) == ["name"]


@pytest.mark.parametrize("name", ["choir", " CHOIR ", "Cho\u200bir", "Ｃｈｏｉｒ"])
def test_another_spelling_of_a_group_name_is_taken(owner: APIClient, name: str) -> None:
    owner.post(G + "groups/", {"name": "Choir"}, format="json")
    youth = owner.post(G + "groups/", {"name": "Youth"}, format="json")
    for refused in (
        owner.post(G + "groups/", {"name": name}, format="json"),
        owner.patch(youth["Location"], {"name": name}, format="json"),
    ):
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["name"])
    assert Group.objects.filter(name__in=["Choir", "Youth"]).count() == 2


def test_a_group_changes_the_case_of_its_own_name(owner: APIClient) -> None:
    made = owner.post(G + "groups/", {"name": "prayer team"}, format="json")
    renamed = owner.patch(made["Location"], {"name": "Prayer Team"}, format="json")
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Prayer Team")


def test_the_admin_refuses_another_spelling_of_a_group_name(
    admin_client: Client, grace: Church
) -> None:
    Group.objects.create(church=grace, name="Choir")
    form = {"name": "CHOIR", "church": grace.pk}
    answer = admin_client.post("/admin/koinonia/group/add/", form)
    assert "in this church already" in answer.content.decode()
    assert Group.objects.count() == 1


PEOPLE = [
    ("Ólafur", "Þórsson"), ("Élodie", "D’Arc"), ("Иван", "Йорданов"), ("José", "Muñoz"),
    ("Łukasz", "Straßer"), ("が", "か"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ólafur", "Ólafur"), ("OLAFUR", "Ólafur"), ("thorsson", "Ólafur"), ("élodie", "Élodie"),
        ("elodie d'arc", "Élodie"), ("darc", "Élodie"), ("иван", "Иван"), ("ИОРДАНОВ", "Иван"),
        ("jose", "José"), ("MUÑOZ", "José"), ("Jose\u0301", "José"), ("lukasz", "Łukasz"),
        ("strasser", "Łukasz"), ("ＬＵＫＡＳＺ", "Łukasz"), ("が", "が"),
    ],
)  # fmt: skip
def test_a_search_ignores_case_and_accents(
    viewer: APIClient, grace: Church, words: str, found: str
) -> None:
    Member.objects.bulk_create(
        Member(church=grace, first_name=first, last_name=last, phone=f"+131255501{number:02}")
        for number, (first, last) in enumerate(PEOPLE)
    )
    page = viewer.get(G + "members/", {"search": words}).json()["results"]
    assert [member["first_name"] for member in page] == [found]


def test_the_admin_finds_names_without_accents(admin_client: Client, grace: Church) -> None:
    cast.member(grace, "Ólafur", "+13125550111", last_name="Þórsson")
    url = "/admin/koinonia/member/search/"
    page = admin_client.post(url, {"q": "OLAFUR thorsson"}, follow=True)
    assert "Ólafur Þórsson" in page.content.decode()


def test_every_write_of_a_name_updates_its_search_key(viewer: APIClient, anna: Member) -> None:
    def found(words: str) -> bool:
        return bool(viewer.get(G + "members/", {"search": words}).json()["results"])

    anna.first_name = "Zoë"
    anna.save(update_fields=["first_name"])
    assert found("zoe")
    Member.objects.filter(pk=anna.pk).update(first_name="Siân")
    assert found("sian")
    assert not found("zoe")
    anna.first_name = "Nuño"
    Member.objects.bulk_update([anna], ["first_name"])
    assert found("nuno")


def test_an_owner_changes_the_church(owner: APIClient, hope: Church) -> None:
    changed = owner.patch(
        G, {"name": "Grace", "timezone": "Europe/Oslo", "slug": "x"}, format="json"
    ).json()
    assert (changed["slug"], changed["name"], changed["timezone"]) == (
        "grace",
        "Grace",
        "Europe/Oslo",
    )


@pytest.mark.parametrize("number", ["+13125550200", "+13125550199", None, ""])
def test_an_owner_cannot_change_the_number(
    owner: APIClient, grace: Church, hope: Church, number: str | None
) -> None:
    refused = owner.patch(G, {"phone_number": number, "name": "New"}, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["phone_number"])
    assert "operator gives" in refused.json()["errors"]["phone_number"][0]
    grace.refresh_from_db()
    assert (grace.name, grace.phone_number) == ("Grace Church", "+13125550100")


def test_the_staff_list_accepts_no_post(owner: APIClient, stranger: User) -> None:
    body = {"username": "stranger", "role": "viewer", "password": "a long enough one 7"}
    assert owner.post(G + "staff/", body, format="json").status_code == 405
    assert not Staff.objects.filter(user=stranger).exists()


def test_an_owner_changes_a_role_and_ends_a_membership(
    owner: APIClient, grace: Church, grace_viewer: User
) -> None:
    [item] = [one for one in owner.get(G + "staff/").json()["results"] if one["role"] == "viewer"]
    assert list(item) == ["id", "username", "role", "created_at", "etag"]
    path = f"{G}staff/{item['id']}/"
    assert owner.patch(path, {"role": "sender"}, format="json").json()["role"] == "sender"
    assert owner.delete(path).status_code == 204
    assert not Staff.objects.filter(user=grace_viewer).exists()


@pytest.mark.parametrize("by", ["id", "me"])
def test_every_user_may_leave(
    owner: APIClient, viewer: APIClient, grace: Church, grace_viewer: User, by: str
) -> None:
    place = Staff.objects.get(user=grace_viewer)
    item = f"{G}staff/{encode(place.pk) if by == 'id' else 'me'}/"
    assert ids.decode("me") is None  # no row ever has it for an id
    assert viewer.patch(item, {"role": "owner"}, format="json").status_code == 403
    assert viewer.delete(item).status_code == 204
    assert viewer.get(G).status_code == 404


def test_a_user_cannot_end_the_membership_of_another(
    viewer: APIClient, grace_owner: User, hope_owner: User
) -> None:
    for user in (grace_owner, hope_owner):
        place = Staff.objects.get(user=user)
        assert viewer.delete(f"{G}staff/{encode(place.pk)}/").status_code == 403


def test_the_last_owner_cannot_leave(owner: APIClient, grace_sender: User) -> None:
    refused = owner.delete(G + "staff/me/")
    assert (refused.status_code, Staff.objects.filter(role=Role.OWNER).count()) == (400, 1)


def test_the_last_owner_keeps_the_role(owner: APIClient, grace_owner: User) -> None:
    item = f"{G}staff/{encode(Staff.objects.get(user=grace_owner).pk)}/"
    assert owner.patch(item, {"role": "viewer"}, format="json").status_code == 400
    assert owner.delete(item).status_code == 400
    assert Staff.objects.get(user=grace_owner).role == Role.OWNER


def test_a_login_takes_a_name_in_any_width_and_in_one_case(grace_owner: User) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in "grace") + "-owner"
    assert login(wide).status_code == 200
    assert login("Grace-Owner").status_code == 401


def login(username: str, password: str = cast.PASSWORD) -> Any:
    body = {"username": username, "password": password}
    return APIClient().post("/api/v1/auth/login/", body, format="json")


def test_a_token_is_valid_until_logout(grace_owner: User) -> None:
    client = APIClient()
    given = login("grace-owner").json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {given['token']}")
    assert client.get("/api/v1/me/").json() == given["user"]
    assert client.post("/api/v1/auth/logout/").status_code == 204
    dead = client.get("/api/v1/me/")
    assert (dead.status_code, dead["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "credential", ["Bearer", "Bearer x", "Bearer \xff", "Basic YTpi", "Token x", "Bearer a b"]
)
def test_a_bad_credential_is_401(credential: str, db: None) -> None:
    answer = APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION=credential)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_wrong_password_and_an_unknown_user_look_the_same(grace_owner: User) -> None:
    wrong, unknown = login("grace-owner", "wrong"), login("nobody", "wrong")
    assert (wrong.status_code, wrong["WWW-Authenticate"]) == (401, "Bearer")
    assert wrong.content == unknown.content


def test_a_session_needs_its_csrf_token(grace_owner: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(grace_owner)
    assert client.get(G).status_code == 200
    assert client.post(G + "groups/", {"name": "Choir"}, format="json").status_code == 403
