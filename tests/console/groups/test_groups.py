"""The pages of groups and keywords, without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from koinonia.console import paging
from koinonia.console.groups import members
from koinonia.ids import encode
from koinonia.models import AuditEntry, Broadcast, Church, Group, Keyword, Member
from tests.console.conftest import signed_in
from tests.console.pages import Costs
from tests.httpopt.church_data import NOW
from tests.support import cast

BASE = "/churches/grace/"


@pytest.fixture
def choir(grace: Church) -> Group:
    return Group.objects.create(church=grace, name="Choir")


def of(group: Group, page: str = "") -> str:
    return f"{BASE}groups/{encode(group.pk)}/{page}"


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_group_is_made_and_opened(sender: Client, grace: Church) -> None:
    made = sender.post(f"{BASE}groups/new/", {"name": " Choir ", "welcome_text": "Welcome!"})
    group = Group.objects.get()
    assert (made.status_code, made["Location"]) == (302, of(group))
    assert (group.name, group.welcome_text, acts()) == ("Choir", "Welcome!", ["group.added"])
    page = text_of(sender.get(of(group)))
    assert "The group Choir is made." in page
    assert "Nobody is in this group yet." in page


@pytest.mark.parametrize("name", ["", "choir", "\u200b"])
def test_a_bad_name_is_explained_and_what_was_typed_stays(
    sender: Client, choir: Group, name: str
) -> None:
    refused = sender.post(f"{BASE}groups/new/", {"name": name, "welcome_text": "Typed words"})
    assert refused.status_code == 422
    assert "Typed words" in text_of(refused)
    assert b'aria-invalid="true"' in refused.content
    assert acts() == []


def test_members_join_by_search_and_leave(sender: Client, choir: Group, anna: Member) -> None:
    found = text_of(sender.get(f"{of(choir)}?find=lee"))
    assert f'name="add" value="{encode(anna.pk)}"' in found
    sender.post(of(choir, "members/"), {"add": [encode(anna.pk)]})
    page = text_of(sender.get(of(choir)))
    assert "1 person is added." in page
    assert "1 person" in text_of(sender.get(f"{BASE}groups/"))
    assert f'name="add" value="{encode(anna.pk)}"' not in text_of(
        sender.get(f"{of(choir)}?find=lee")
    )
    sender.post(of(choir, "members/"), {"remove": encode(anna.pk)})
    assert choir.members.count() == 0
    assert acts() == ["group.joined", "group.left"]


def test_an_empty_choice_says_what_to_do(sender: Client, choir: Group) -> None:
    answer = sender.post(of(choir, "members/"), {"find": "lee"})
    assert "?find=lee#" in answer["Location"]
    assert "Choose people first." in text_of(sender.get(of(choir)))


def test_a_member_of_another_church_does_not_join(
    sender: Client, choir: Group, hope: Church
) -> None:
    other = cast.member(hope, "Ruth", "+13125550199")
    sender.post(of(choir, "members/"), {"add": encode(other.pk)})
    assert choir.members.count() == 0


def test_a_change_of_a_colleague_is_shown_before_it_is_replaced(
    sender: Client, choir: Group
) -> None:
    seen = choir.version
    Group.objects.filter(pk=choir.pk).update(name="Singers")
    stale = sender.post(of(choir, "edit/"), {"name": "Chorus", "version": seen})
    page = text_of(stale)
    assert stale.status_code == 422
    assert "A colleague has saved this meanwhile" in page
    assert "Now it is: Singers" in page
    assert 'value="Chorus"' in page
    present = Group.objects.get().version
    assert f'name="version" value="{present}"' in page
    assert (
        sender.post(of(choir, "edit/"), {"name": "Chorus", "version": present}).status_code == 302
    )
    assert Group.objects.get().name == "Chorus"


def test_the_deletion_of_a_group_says_what_goes_with_it(
    sender: Client, choir: Group, anna: Member, grace_sender: User
) -> None:
    choir.members.add(anna)
    Keyword.objects.create(church=choir.church, word="SING", group=choir)
    Broadcast.objects.create(
        church=choir.church, text="Hi", audience={"groups": [encode(choir.pk)]}, created_at=NOW, due_at=NOW,
        scheduled_at=NOW, author=grace_sender,
    )  # fmt: skip
    asked = text_of(sender.get(of(choir, "delete/")))
    for words in ("1 person is in it", "1 scheduled broadcast goes to it", "SING"):
        assert words in asked
    sender.post(of(choir, "delete/"))
    assert not Group.objects.exists()
    assert not Keyword.objects.exists()
    assert Member.objects.exists()
    assert Broadcast.objects.get().cancelled_at
    assert "1 scheduled broadcast is cancelled." in text_of(sender.get(f"{BASE}groups/"))


def test_the_list_stays_where_it_is_after_a_removal(
    sender: Client, choir: Group, anna: Member
) -> None:
    choir.members.add(anna)
    path = f"{of(choir, 'members/')}?search=ann"
    assert f'action="{path}"' in text_of(sender.get(f"{of(choir)}?search=ann"))
    answer = sender.post(path, {"remove": encode(anna.pk)})
    assert answer["Location"] == f"{of(choir)}?search=ann#members-title"
    added = sender.post(of(choir, "members/"), {"add": [encode(anna.pk)]})
    assert added["Location"] == f"{of(choir)}#add-title"


def test_the_removal_of_the_last_person_of_a_page_leads_to_the_first_page(
    sender: Client, grace: Church, choir: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_ROWS", 2)
    people = [cast.member(grace, name, f"+13125550{n}") for n, name in enumerate("ABC", 101)]
    choir.members.add(*people)
    query = sender.get(of(choir)).context["page"].older
    answer = sender.post(of(choir, "members/") + query, {"remove": encode(people[2].pk)})
    assert answer["Location"] == f"{of(choir)}{query}#members-title"
    assert sender.get(of(choir) + query)["Location"] == of(choir)


def test_groups_are_found_by_name(sender: Client, grace: Church) -> None:
    for name in ("Choir", "Youth choir", "Band"):
        Group.objects.create(church=grace, name=name)
    found = text_of(sender.get(f"{BASE}groups/?search=CHOIR"))
    assert "Youth choir" in found
    assert "Band" not in found
    assert "No group has “zzz”" in text_of(sender.get(f"{BASE}groups/?search=zzz"))


def test_a_keyword_is_made_changed_and_deleted(sender: Client, choir: Group) -> None:
    given = {"word": "SING", "group": encode(choir.pk), "answer": ""}
    assert sender.post(f"{BASE}keywords/new/", given).status_code == 302
    keyword = Keyword.objects.get()
    page = text_of(sender.get(f"{BASE}keywords/"))
    assert "Grace Church: you are in Choir now. Text SING STOP to leave it" in page
    path = f"{BASE}keywords/{encode(keyword.pk)}/"
    changed = {**given, "answer": "Welcome!", "version": keyword.version}
    assert sender.post(path, changed).status_code == 302
    assert Keyword.objects.get().answer == "Welcome!"
    sender.post(f"{path}delete/")
    assert acts() == ["keyword.added", "keyword.changed", "keyword.deleted"]


@pytest.mark.parametrize(
    ("word", "sentence"), [("Stop", "another meaning"), ("sing", "another group already")]
)
def test_a_bad_keyword_is_explained(sender: Client, choir: Group, word: str, sentence: str) -> None:
    Keyword.objects.create(church=choir.church, word="SING", group=choir)
    refused = sender.post(f"{BASE}keywords/new/", {"word": word, "group": encode(choir.pk)})
    assert refused.status_code == 422
    assert sentence in text_of(refused)


def test_a_viewer_reads_and_changes_nothing(grace_viewer: User, choir: Group, anna: Member) -> None:
    viewer = signed_in(grace_viewer)
    choir.members.add(anna)
    page = text_of(viewer.get(of(choir)))
    assert "Anna Lee" in page
    assert "Remove" not in page
    keyword = Keyword.objects.create(church=choir.church, word="SING", group=choir)
    for path in (
        of(choir, "edit/"), of(choir, "delete/"), of(choir, "members/"), f"{BASE}groups/new/",
        f"{BASE}keywords/{encode(keyword.pk)}/delete/",
    ):  # fmt: skip
        assert viewer.post(path, {"name": "x", "remove": encode(anna.pk)}).status_code == 403
    assert choir.members.count() == 1


@pytest.mark.parametrize("few", [3, 500])
def test_the_members_of_a_group_are_sorted_by_name_over_all_pages(
    viewer: Client, grace: Church, choir: Group, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(paging, "MOST_ROWS", 2)
    monkeypatch.setattr(members, "FEW", few)
    for number, name in enumerate(["Zoë", "ben", "Émile", "Anna", "Dora"]):
        choir.members.add(cast.member(grace, name, f"+1312555010{number}"))
    cast.member(grace, "Carl", "+13125550109")
    shown: list[str] = []
    query: str | None = ""
    while query is not None:
        page = viewer.get(of(choir) + query).context["page"]
        shown += [member.name for member in page.rows]
        query = page.older or None
    assert shown == ["Anna", "ben", "Dora", "Émile", "Zoë"]


def test_another_office_finds_nothing(hope_owner: User, choir: Group) -> None:
    keyword = Keyword.objects.create(church=choir.church, word="SING", group=choir)
    client = signed_in(hope_owner)
    for church in ("grace", "hope"):
        for path in (f"groups/{encode(choir.pk)}/", f"keywords/{encode(keyword.pk)}/"):
            for more in ("", "edit/", "delete/", "members/"):
                assert client.post(f"/churches/{church}/{path}{more}").status_code in {404, 405}
    assert Group.objects.exists()


def test_pages_of_a_large_church_cost_few_queries(
    sender: Client, choir: Group, grace: Church, costs: Costs
) -> None:
    members = Member.objects.bulk_create(
        Member(church=grace, first_name=f"M{n}", phone=f"+1312556{n:04}") for n in range(150)
    )
    choir.members.add(*members)
    for number in range(20):
        group = Group.objects.create(church=grace, name=f"Group {number}")
        Keyword.objects.create(church=grace, word=f"W{number}", group=group)
    for path in (
        "groups/",
        "keywords/",
        "keywords/new/",
        f"groups/{encode(choir.pk)}/?search=M1&find=M2",
    ):
        costs.of(sender, f"{BASE}{path}")
    page = sender.get(of(choir))
    assert page.content.count(b'name="remove"') == 25
    assert b"Show older" in page.content
