"""The import of a file on the pages: preview, choices, progress, report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from delivery.models import OptOut
from koinonia.console.members import files
from koinonia.ids import encode
from koinonia.member_import import kept, showing, writing
from koinonia.models import AuditEntry, Church, Group, Member, MemberFile
from tests.console.conftest import signed_in

BASE = "/churches/grace/members/"

BREEZE = (
    "Breeze ID,First Name,Last Name,Mobile,Home,Tags,Text OK\n"
    "1,Ann,Lee,(312) 555-0101,,Choir; Youth,yes\n"
    "2,Ben,Stone,312-555-0102,,Choir,no\n"
    "3,Ida,,12,,,yes\n"
)


def upload(client: Client, content: bytes | str, name: str = "people.csv") -> str:
    """Choose a file, and return the path of its preview."""
    content = content.encode() if isinstance(content, str) else content
    answer = client.post(BASE + "import/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def preview(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.context["found"]


def test_the_preview_shows_what_would_happen_and_writes_nothing(
    sender: Client, grace: Church
) -> None:
    known = Member.objects.create(
        church=grace, first_name="ANN", last_name="Lee", phone="+13125550101"
    )
    path = upload(sender, BREEZE)
    found = preview(sender, path)
    assert [(person.name, person.state, person.before) for person in found.people] == [
        ("Ann Lee", "changed", "ANN Lee"),
        ("Ben Stone", "new", ""),
    ]
    assert [person.opted_out for person in found.people] == [False, True]
    assert (found.report.created, found.report.updated, found.opt_outs) == (1, 1, 1)
    assert found.report.new_groups == ["Choir", "Youth"]
    assert [line for line, _ in found.report.errors] == [4]
    meanings = {column.header: column.meaning for column in found.columns}
    assert meanings == {
        "Breeze ID": "", "First Name": "first_name", "Last Name": "last_name", "Mobile": "phone",
        "Home": "second_phone", "Tags": "groups", "Text OK": "may_text",
    }  # fmt: skip
    known.refresh_from_db()
    assert known.first_name == "ANN"
    assert Member.objects.count() == 1


def test_the_preview_names_the_person_of_each_remark(sender: Client, grace: Church) -> None:
    path = upload(sender, 'Name,Mobile\nRuth Ames,\n"Baker, Paul",555-01\n,3125550104\n')
    expected = [(2, "Ruth Ames"), (3, "Baker, Paul"), (4, "")]
    assert [(line, name) for line, name, _ in preview(sender, path).remarks] == expected
    # The second opening reads the kept plan.
    assert [(line, name) for line, name, _ in preview(sender, path).remarks] == expected
    assert "<bdi>Baker, Paul</bdi>" in sender.get(path).content.decode()


def test_the_preview_shows_who_else_has_a_number(sender: Client, grace: Church) -> None:
    Member.objects.create(church=grace, first_name="Ann", last_name="Clark", phone="+13125550175")
    path = upload(
        sender,
        "First Name,Last Name,Mobile\nAnn,Clark,3125550175\nTim,Clark,3125550175\n"
        "Joy,Clark,3125550175\nRuth,Ames,3125550174\n",
    )
    found = preview(sender, path)
    assert [(one.line, one.name, one.others) for one in found.sharing] == [
        (3, "Tim Clark", ["Ann Clark"]),
        (4, "Joy Clark", ["Ann Clark", "Tim Clark"]),
    ]
    page = sender.get(path).content.decode()
    assert "<bdi>(312) 555-0175</bdi>: also the number of" in page


def test_the_list_of_shared_numbers_has_a_bound(
    sender: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "SHOWN_SHARING", 1)
    path = upload(sender, "Name,Mobile\nA B,3125550175\nC D,3125550175\nE F,3125550175\n")
    found = preview(sender, path)
    assert (len(found.sharing), found.more_sharing) == (1, 1)
    assert "and 1 more" in sender.get(path).content.decode()


def test_a_report_of_an_older_release_has_no_names(sender: Client, grace: Church) -> None:
    path = upload(sender, BREEZE)
    sender.post(path + "start/", {"agreed": "1"})
    file = MemberFile.objects.get()
    del file.report["names"], file.progress["names"]
    file.save()
    assert kept.remarks_of(file)[0][:2] == (4, "")


def test_a_large_file_asks_to_wait_and_then_shows_the_preview(
    sender: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LOOKED_AT_ONCE", len(BREEZE) - 1)
    path = upload(sender, BREEZE)
    waiting = sender.get(path).content.decode()
    assert "Looking at the file" in waiting
    assert f'hx-get="{path}?look=now"' in waiting
    assert f'<a class="button primary" href="{path}?look=now">' in waiting
    assert preview(sender, f"{path}?look=now").number == 2
    # The plan is kept now: the page comes at once.
    assert preview(sender, path).number == 2


def test_the_upload_page_names_the_bounds_of_a_file(sender: Client) -> None:
    assert "up to 5 MB and 50,000 lines." in sender.get(BASE + "import/").content.decode()


def test_a_preview_compares_many_people_with_one_statement(
    sender: Client, grace: Church, django_assert_max_num_queries: Any
) -> None:
    lines = [f"Name{number},+1312555{number:04}" for number in range(600)]
    path = upload(sender, "\n".join(["First Name,Mobile", *lines]))
    with django_assert_max_num_queries(20):
        assert preview(sender, path).report.created == 600


def test_an_import_needs_the_agreement_and_reports(sender: Client, grace: Church) -> None:
    path = upload(sender, BREEZE)
    refused = sender.post(path + "start/")
    assert refused.status_code == 422
    assert not Member.objects.exists()
    done = sender.post(path + "start/", {"agreed": "1"}, follow=True)
    page = done.content.decode()
    assert "The import is done" in page
    assert sorted(Member.objects.values_list("first_name", flat=True)) == ["Ann", "Ben"]
    assert OptOut.objects.get().number == "+13125550102"
    file = MemberFile.objects.get()
    assert (file.state, bytes(file.content), bytes(file.plan)) == ("done", b"", b"")
    assert file.progress["created"] == 2
    assert AuditEntry.objects.get().detail["opted_out"] == 1
    report = sender.get(path + "report/")
    lines = report.getvalue().decode().splitlines()
    assert lines[0] == "Line,Name,Remark"
    assert lines[1].startswith("4,Ida,")
    assert "<bdi>Ida</bdi>" in page


def test_a_second_start_imports_once(sender: Client, grace: Church) -> None:
    path = upload(sender, BREEZE)
    for _ in range(2):
        sender.post(path + "start/", {"agreed": "1"})
    assert Member.objects.count() == 2
    assert AuditEntry.objects.count() == 1


def test_a_long_import_goes_on_where_it_was(
    sender: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "AT_ONCE", 2)
    monkeypatch.setattr(files, "_SECONDS_OF_A_STEP", 0.0)
    rows = "".join(f"M{n},312555010{n},Choir\n" for n in range(5))
    path = upload(sender, f"first_name,phone,groups\n{rows}Ida,3125550109,\n")
    page = sender.post(path + "start/", {"agreed": "1"}, follow=True).content.decode()
    assert "Importing" in page
    assert 'hx-trigger="load, submit"' in page
    for done in (2, 4):
        file = MemberFile.objects.get()
        members = Member.objects.count()
        assert (file.position, file.progress["created"], members) == (done, done, done)
        if done == 2:
            sender.post(path + "step/", headers={"HX-Request": "true"})
    assert "The import is done" in sender.post(path + "step/", follow=True).content.decode()
    file = MemberFile.objects.get()
    assert (file.progress["created"], file.progress["new_groups"]) == (6, ["Choir"])
    assert Group.objects.get().members.count() == 5


def test_columns_can_be_chosen(sender: Client, grace: Church) -> None:
    path = upload(sender, "Kontakt,Rufname,Kreis\n3125550101,Ann,Choir\n3125550102,Ben,\n")
    found = preview(sender, path)
    assert "name the columns" in found.problem
    assert [(column.header, column.samples) for column in found.columns] == [
        ("Kontakt", ["3125550101", "3125550102"]), ("Rufname", ["Ann", "Ben"]), ("Kreis", ["Choir"]),
    ]  # fmt: skip
    chosen = {"line": found.header_line, "column-0": "phone", "column-1": "first_name",
              "column-2": "groups"}  # fmt: skip
    assert sender.post(path, chosen).status_code == 302
    found = preview(sender, path)
    assert [(person.name, person.groups) for person in found.people] == [
        ("Ann", ["Choir"]), ("Ben", []),
    ]  # fmt: skip
    sender.post(path + "start/", {"agreed": "1"})
    assert Group.objects.get().members.get().first_name == "Ann"


def test_a_recognised_column_can_be_left_out(sender: Client, grace: Church) -> None:
    path = upload(sender, BREEZE)
    found = preview(sender, path)
    (tags,) = [column.at for column in found.columns if column.header == "Tags"]
    sender.post(path, {"line": found.header_line, f"column-{tags}": "ignored"})
    assert preview(sender, path).report.new_groups == []


def test_an_unknown_encoding_is_chosen_by_names(sender: Client, grace: Church) -> None:
    content = "first_name,last_name,phone\nJosé,Muñoz,3125550101\n".encode("cp1252")
    path = upload(sender, content)
    found = preview(sender, path)
    assert found.problem == "encoding"
    name, samples = found.encodings[0]
    assert (name, samples[0]) == ("windows-1252", "José Muñoz")
    sender.post(path, {"encoding": "windows-1252"})
    found = preview(sender, path)
    assert (found.problem, found.people[0].name) == ("", "José Muñoz")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"%PDF-1.7", "PDF"), (b"\x89PNG", "picture"), (b"first_name,phone\n", "")],
)
def test_an_unusable_file_says_why(
    sender: Client, grace: Church, content: bytes, sentence: str
) -> None:
    path = upload(sender, content)
    found = preview(sender, path)
    assert sentence in found.problem
    assert not found.people
    assert sender.post(path + "start/", {"agreed": "1"}, follow=True).status_code in (200, 422)
    assert not Member.objects.exists()


def test_no_file_an_empty_one_and_a_large_one_are_refused(sender: Client, grace: Church) -> None:
    for body in (
        {},
        {"file": SimpleUploadedFile("a.csv", b"")},
        {"file": SimpleUploadedFile("a.csv", b"x" * (5 * 2**20 + 1))},
    ):
        assert sender.post(BASE + "import/", body).status_code == 422
    assert not MemberFile.objects.exists()


def test_uploads_are_few_and_short_lived(
    sender: Client, grace: Church, grace_owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = upload(sender, BREEZE)
    second = upload(sender, BREEZE)
    assert sender.get(first).status_code == 404
    monkeypatch.setattr(kept, "MOST_OF_A_CHURCH", 1)
    answer = signed_in(grace_owner).post(
        BASE + "import/", {"file": SimpleUploadedFile("a.csv", BREEZE.encode())}
    )
    assert answer.status_code == 422
    MemberFile.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    assert sender.get(second).status_code == 404
    assert kept.old_files(timezone.now()).count() == 1


def test_two_tabs_write_a_slice_once(
    sender: Client, grace: Church, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "AT_ONCE", 1)
    monkeypatch.setattr(files, "_SECONDS_OF_A_STEP", 0.0)
    path = upload(sender, "first_name,phone\nAnn,3125550101\nBen,3125550102\nIda,3125550103\n")
    sender.post(path + "start/", {"agreed": "1"})
    one, other = MemberFile.objects.get(), MemberFile.objects.get()
    for file in (one, other):
        kept.advance(file, seconds=0, now=timezone.now())
        assert (file.position, file.progress["created"], Member.objects.count()) == (2, 2, 2)


def test_a_file_is_for_the_colleague_who_chose_it(
    sender: Client, viewer: Client, grace_owner: Any, grace: Church, hope_owner: Any
) -> None:
    path = upload(sender, BREEZE)
    assert signed_in(grace_owner).get(path).status_code == 404
    assert signed_in(hope_owner).get(path).status_code == 404
    assert viewer.get(path).status_code == 403
    key = MemberFile.objects.get().pk
    assert path.endswith(f"/{encode(key)}/")
