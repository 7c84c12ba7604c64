"""Accounts that an operator creates in the admin or by a command: only the user knows the password."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from koinonia.models import Church, Invitation, SendingNumber, Staff
from tests.support import cast

NEW = "another one, and long"
CHOSEN = {"new_password1": NEW, "new_password2": NEW}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def create_church(*arguments: str) -> str:
    out = StringIO()
    call_command("create_church", *arguments, stdout=out, stderr=out)
    return out.getvalue()


NEW_LIFE = ("New Life", "--owner", "pastor@mail.example", "--number", "(312) 555-0142")


def test_a_new_church_invites_its_owner() -> None:
    told = create_church(*NEW_LIFE, "--timezone", "America/Chicago")
    church = Church.objects.get()
    assert (church.slug, church.phone_number, church.timezone) == (
        "new-life", "+13125550142", "America/Chicago",
    )  # fmt: skip
    assert not User.objects.exists()
    assert "went to pastor@mail.example" in told
    [path] = re.findall(r"http://testserver(/invitations/\S+)", str(mail.outbox[0].body))
    assert path not in told
    browser = Client()
    assert browser.post(path, CHOSEN)["Location"] == "/churches/new-life/"
    assert Staff.objects.get().role == "owner"
    assert User.objects.get().check_password(NEW)


def test_an_owner_with_an_account_signs_in_and_accepts(stranger: User) -> None:
    create_church(*NEW_LIFE)
    [path] = re.findall(r"http://testserver(/invitations/\S+)", str(mail.outbox[0].body))
    browser = Client()
    browser.force_login(stranger)
    browser.post(path)
    assert Staff.objects.get().user == stranger


def test_without_a_mail_server_the_command_prints_the_link_once(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    told = create_church(*NEW_LIFE)
    [path] = re.findall(r"http://testserver(/invitations/\S+)", told)
    assert Client().post(path, CHOSEN).status_code == 302
    assert Client().post(path, CHOSEN).status_code == 404


def test_the_church_is_created_even_if_the_mail_server_fails(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    told = create_church(*NEW_LIFE)
    assert "could not be sent" in told
    assert "http://testserver/invitations/" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({0: "\u200b"}, "needs a name"),
        ({0: "x" * 101}, "needs a name"),
        ({2: "pastor"}, "no e-mail address|is not an e-mail address"),
        ({4: "12"}, "is not a phone number"),
        ({4: "+13125550100"}, "belongs to another church"),
        ({5: "--timezone", 6: "Mars"}, "is not a time zone"),
        ({4: "+13125550142", 5: "--country", 6: "ZZ"}, "is not a country's code"),
        ({4: "+13125550142", 5: "--country", 6: "ÄÖ"}, "is not a country's code"),
        ({2: f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.example"}, "longer than 254"),
        ({5: "--slug", 6: "grace"}, "a church 'grace' already"),
        ({5: "--slug", 6: "No Slug"}, "is not a slug"),
        ({5: "--country", 6: "USA"}, "is not a country"),
    ],
)
def test_invalid_input_creates_nothing(grace: Church, change: dict[int, str], told: str) -> None:
    arguments = dict(enumerate(NEW_LIFE)) | change
    with pytest.raises(CommandError, match=told):
        create_church(*arguments.values())
    assert (Church.objects.count(), Invitation.objects.count(), len(mail.outbox)) == (1, 0, 0)


def test_churches_with_the_same_name_get_different_slugs() -> None:
    for number in range(3):
        create_church("Grace", "--owner", "a@mail.example", "--number", f"+1312555014{number}")
    create_church("은혜", "--owner", "a@mail.example", "--number", "+13125550149")
    slugs = set(Church.objects.values_list("slug", flat=True))
    assert slugs == {"grace", "grace-2", "grace-3", "church"}


@pytest.mark.parametrize("command", ["create_church", "number"])
def test_the_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command(command, "--help")
    assert f"manage.py {command}" in capsys.readouterr().out


def test_the_admin_adds_a_user_who_chooses_the_password(root: Client) -> None:
    form = {"username": "anna", "email": "anna@mail.example", "password1": NEW, "password2": NEW}
    assert root.post("/admin/auth/user/add/", form).status_code == 302
    anna = User.objects.get(username="anna")
    assert not anna.has_usable_password()
    [path] = re.findall(r"http://testserver(/password-reset/\S+)", str(mail.outbox[0].body))
    browser = Client()
    assert browser.post(browser.get(path)["Location"], CHOSEN).status_code == 302
    anna.refresh_from_db()
    assert anna.check_password(NEW)
    assert b"This link has ended" in Client().get(path).content


def test_without_an_address_the_admin_shows_the_link(root: Client) -> None:
    root.post("/admin/auth/user/add/", {"username": "anna"})
    anna = User.objects.get(username="anna")
    shown = root.get("/admin/").content.decode()
    assert mail.outbox == []
    [path] = re.findall(r"http://testserver(/password-reset/[\w/-]+)", shown)
    assert Client().get(path).status_code == 302
    again = {"action": "send_password_link", "_selected_action": anna.pk}
    assert b"/password-reset/" in root.post("/admin/auth/user/", again, follow=True).content


def test_the_operator_invites_in_the_admin(root: Client, grace: Church) -> None:
    form = {"church": grace.pk, "email": "Anna@mail.example", "role": "owner"}
    assert root.post("/admin/koinonia/invitation/add/", form).status_code == 302
    [path] = re.findall(r"http://testserver(/invitations/\S+)", str(mail.outbox[0].body))
    assert Client().post(path, CHOSEN).status_code == 302
    assert Staff.objects.get(church=grace).role == "owner"


@pytest.mark.parametrize("over", [{}, {"email": "a@mail.example", "username": "a"}])
def test_an_invitation_needs_either_a_name_or_an_address(
    root: Client, grace: Church, over: dict[str, str]
) -> None:
    form = {"church": grace.pk, "role": "owner", **over}
    assert b"only one of them" in root.post("/admin/koinonia/invitation/add/", form).content
    assert not Invitation.objects.exists()


def church_form(church: Church, **over: Any) -> dict[str, Any]:
    return {
        "slug": church.slug, "name": church.name, "phone_number": church.phone_number or "",
        "country": church.country, "timezone": church.timezone, "staff-TOTAL_FORMS": 0,
        "staff-INITIAL_FORMS": 0, **over,
    }  # fmt: skip


def test_the_form_of_a_church_assigns_and_releases_its_number(root: Client, grace: Church) -> None:
    path = f"/admin/koinonia/church/{grace.pk}/change/"
    given = root.post(path, church_form(grace, phone_number="312-555-0142", name="New"))
    assert given.status_code == 302
    grace.refresh_from_db()
    assert (grace.phone_number, grace.name) == ("+13125550142", "New")
    reserved = SendingNumber.objects.get(number="+13125550100")
    assert (reserved.church, reserved.given_up_at is None) == (grace, False)
    assert root.post(path, church_form(grace, phone_number="")).status_code == 302
    grace.refresh_from_db()
    assert grace.phone_number is None


def test_the_form_explains_why_a_number_is_refused(
    root: Client, grace: Church, hope: Church
) -> None:
    path = f"/admin/koinonia/church/{grace.pk}/change/"
    for number, told in (
        (hope.phone_number, b"belongs to another church"), ("12", b"is not a phone number"),
    ):  # fmt: skip
        assert told in root.post(path, church_form(grace, phone_number=number)).content
    added = church_form(Church(slug="new", name="New"), phone_number=grace.phone_number)
    answer = root.post("/admin/koinonia/church/add/", added)
    assert b"belongs to another church" in answer.content
    assert Church.objects.count() == 2


def test_the_admin_has_no_pages_with_tokens_of_others(root: Client) -> None:
    for path in ("knox/authtoken", "django_q/schedule", "django_q/success"):
        assert root.get(f"/admin/{path}/").status_code == 404


def test_a_new_user_has_no_usable_password(root: Client, grace: Church) -> None:
    create_church(*NEW_LIFE[:1], *NEW_LIFE[1:])
    root.post("/admin/auth/user/add/", {"username": "anna"})
    assert not any(user.check_password(cast.PASSWORD) for user in User.objects.all())
