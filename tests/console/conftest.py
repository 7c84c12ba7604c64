from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page

from koinonia.console import trouble
from tests.console.pages import Costs
from tests.support.running_system import RunningSystem, database_environment


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    data_dir = tmp_path_factory.mktemp("up")
    with RunningSystem(data_dir, **database_environment()) as running:
        yield running


@pytest.fixture(autouse=True)
def always_swift(swift: None) -> None: ...


@pytest.fixture(autouse=True)
def no_known_accounts() -> None:
    """Forget the states of the accounts that another test has read."""
    trouble.forget()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner(grace_owner: User) -> Client:
    return signed_in(grace_owner)


@pytest.fixture
def sender(grace_sender: User) -> Client:
    return signed_in(grace_sender)


@pytest.fixture
def viewer(grace_viewer: User) -> Client:
    return signed_in(grace_viewer)


@pytest.fixture
def other_office(hope_owner: User) -> Client:
    return signed_in(hope_owner)


@pytest.fixture
def costs() -> Costs:
    return Costs()


@pytest.fixture
def page(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    context = browser.new_context(base_url=system.url)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def rough_page(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    """Return a page that may report refused forms, and a server that does not answer."""
    context = browser.new_context(base_url=system.url)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def sign_in(page: Page, system: RunningSystem, username: str, *, state: str = "live") -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(system.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(f"#link[data-state={state}]")
