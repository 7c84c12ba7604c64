"""Pages follow the reader's language; the API and the admin do not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

SPANISH = {"Accept-Language": "es-MX,es;q=0.9"}


def test_a_page_follows_the_browser(client: Client, db: None) -> None:
    page = client.get("/login/", headers=SPANISH)
    assert '<html lang="es"' in page.content.decode()
    assert page["Content-Language"] == "es"
    assert "Accept-Language" in page["Vary"]
    assert '<html lang="en"' in client.get("/login/").content.decode()


def test_a_choice_counts_more_than_the_browser(client: Client, db: None) -> None:
    answer = client.post("/language/", {"language": "es", "next": "/login/"})
    assert answer["Location"] == "/login/"
    assert '<html lang="es"' in client.get("/login/").content.decode()
    client.post("/language/", {"language": "en", "next": "/login/"})
    assert '<html lang="en"' in client.get("/login/", headers=SPANISH).content.decode()


def test_the_choice_leads_to_no_foreign_page(client: Client, db: None) -> None:
    answer = client.post("/language/", {"language": "es", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


@pytest.mark.parametrize("path", ["/api/v1/me/", "/api/v1/churches/grace/members/?page_size=x"])
def test_the_api_speaks_english(grace_owner: User, client: Client, path: str) -> None:
    client.force_login(grace_owner)
    english = client.get(path)
    spanish = client.get(path, headers=SPANISH)
    assert english.content == spanish.content
    assert "Accept-Language" not in spanish.get("Vary", "")


def test_the_admin_speaks_english(client: Client, db: None) -> None:
    page = client.get("/admin/login/", headers=SPANISH).content.decode()
    assert "Log in" in page
