"""The menu of the admin: pages by job, each with one name."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory

from koinonia.accounts.support_group import SUPPORT
from koinonia.desk import menu

pytestmark = pytest.mark.django_db


def pages_of(user: User) -> dict[str, list[dict[str, Any]]]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return {one["name"]: one["models"] for one in admin.site.get_app_list(request)}


@pytest.fixture
def support(db: None) -> User:
    user = User.objects.create_user("support", is_staff=True)
    user.groups.add(Group.objects.get(name=SUPPORT))
    return user


def test_support_sees_its_work_first_and_no_page_of_people(support: User) -> None:
    sections = pages_of(support)
    assert list(sections) == ["To do now", "Look up", "Settings"]
    assert [page["name"] for page in sections["To do now"]] == [
        "Dead letters", "Retries", "Provider accounts", "Stopped churches", "Slowdowns", "Alerts",
    ]  # fmt: skip


def test_each_page_of_the_admin_has_a_name_and_says_its_use(admin_user: User) -> None:
    sections = pages_of(admin_user)
    assert list(sections) == list(menu.SECTIONS)
    for pages in sections.values():
        assert [page["name"] for page in pages if not page.get("about")] == []


def test_a_page_of_the_menu_carries_the_name_of_the_menu(admin_client: Client) -> None:
    user = User.objects.get(username="admin")
    for page in (page for pages in pages_of(user).values() for page in pages):
        html = admin_client.get(page["admin_url"]).content.decode()
        name = re.escape(page["name"])
        assert re.search(rf"<h1>\s*{name}\s*</h1>", html), page["name"]
        crumbs = re.search(r'<div class="breadcrumbs">(.*?)</div>', html, re.DOTALL)
        assert crumbs
        assert crumbs[1].split("&rsaquo;")[-1].strip() == page["name"]


def test_a_page_behind_a_list_leads_back_to_the_list(admin_client: Client) -> None:
    html = admin_client.get("/admin/delivery/breakertransition/order/?order=open").content.decode()
    assert '<a href="/admin/delivery/breakertransition/">Provider accounts</a>' in html


def test_the_page_of_one_app_has_the_names_of_the_menu(admin_client: Client) -> None:
    html = admin_client.get("/admin/delivery/").content.decode()
    assert "Provider accounts</a>" in html
    assert "Churches</a>" not in html.split("content-start")[1]


def test_an_empty_list_says_what_it_would_hold(admin_client: Client) -> None:
    about = menu.entry_of_label("koinonia.alert")
    assert about
    assert about.about in admin_client.get("/admin/koinonia/alert/").content.decode()
    assert "Who may sign in." not in admin_client.get("/admin/auth/user/").content.decode()
