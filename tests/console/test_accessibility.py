"""Every page of the console is usable by keyboard, on a phone, enlarged and in dark colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.console.accessibility import (
    covered_controls,
    faint_edges,
    is_too_wide,
    serious_faults,
    small_targets,
)
from tests.console.conftest import sign_in
from tests.console.keyboard_tasks import TASKS, Keys
from tests.console.page_roles import PAGES
from tests.support.running_system import RunningSystem

pytestmark = pytest.mark.any_database
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True,
    "is_mobile": True,
}  # fmt: skip
# 1280 px at 400 %.
ENLARGED: dict[str, Any] = {"viewport": {"width": 320, "height": 215}}
OUTSIDE = ["/password/", "/invitations/", "/nowhere/"]
SIGNED_OUT = ["/login/", "/password-reset/"]


LONG = "W" * 80
RIGHT_TO_LEFT = "عبد الرحمن بن محمد"


def paths() -> list[str]:
    """Return all whole pages; parts have no heading."""
    whole = [path for path in PAGES if "parts/" not in path and "?" not in path]
    return [f"/churches/grace/{path}" for path in whole]


@pytest.fixture(scope="module")
def named(system: RunningSystem) -> list[str]:
    """Return the pages of members, a group and a conversation with long names."""
    api = f"{system.url}/api/v1/churches/grace/"
    headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}

    def made(what: str, **body: Any) -> str:
        answer = requests.post(f"{api}{what}/", headers=headers, json=body, timeout=60)
        answer.raise_for_status()
        return f"{what}/{answer.json()['id']}/"

    group = made("groups", name=f"{LONG} {RIGHT_TO_LEFT}")
    groups = [group.split("/")[1]]
    number = "+13125553180"
    people = [
        made("members", first_name=name, last_name=name, phone=number, groups=groups)
        for name in (LONG, RIGHT_TO_LEFT)
    ]
    made("messages", to=number, text=f"{LONG} {RIGHT_TO_LEFT}")
    talks = requests.get(f"{api}conversations/", headers=headers, timeout=60).json()["results"]
    (talk,) = [one["id"] for one in talks if one["phone"] == number]
    pages = [*people, f"{people[0]}edit/", f"{people[0]}delete/", group, f"{group}edit/"]
    pages += [f"inbox/{talk}/", "members/?search=WWW"]
    return [f"/churches/grace/{page}" for page in pages]


@pytest.fixture(scope="module", params=[WIDE, PHONE, ENLARGED], ids=["wide", "phone", "enlarged"])
def sight(
    request: pytest.FixtureRequest, browser: Browser, system: RunningSystem
) -> Iterator[tuple[Page, dict[str, Any]]]:
    context = browser.new_context(base_url=system.url, **request.param)
    page = context.new_page()
    sign_in(page, system, "grace-owner")
    yield page, request.param
    context.close()


def test_no_page_of_a_church_shuts_anybody_out(
    sight: tuple[Page, dict[str, Any]], named: list[str]
) -> None:
    page, size = sight
    faults = {path: found for path in paths() + named if (found := _faults(page, path, size))}
    assert faults == {}


def test_no_page_outside_shuts_anybody_out(
    sight: tuple[Page, dict[str, Any]],
) -> None:
    page, size = sight
    faults = {path: found for path in OUTSIDE if (found := _faults(page, path, size))}
    page.context.clear_cookies()
    faults |= {path: found for path in SIGNED_OUT if (found := _faults(page, path, size))}
    assert faults == {}


@pytest.fixture(scope="module")
def office(browser: Browser, system: RunningSystem) -> Iterator[Page]:
    context = browser.new_context(base_url=system.url, permissions=["clipboard-write"])
    page = context.new_page()
    sign_in(page, system, "grace-owner")
    yield page
    context.close()


def test_the_longer_words_of_spanish_fit_on_a_phone(
    browser: Browser, system: RunningSystem
) -> None:
    context = browser.new_context(base_url=system.url, **PHONE)
    page = context.new_page()
    sign_in(page, system, "grace-owner")
    context.add_cookies([{"name": "django_language", "value": "es", "url": system.url}])
    too_wide = []
    for path in paths():
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == "es"
        if is_too_wide(page):
            too_wide.append(path)
    context.close()
    assert too_wide == []


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_keys_alone_do_the_main_task_of_a_page(task: Callable[[Keys], None], office: Page) -> None:
    task(Keys(office))


def _faults(page: Page, path: str, size: dict[str, Any]) -> list[str]:
    page.goto(path)
    page.wait_for_load_state("load")
    found = [] if page.locator("h1").count() == 1 else ["not one h1"]
    if is_too_wide(page):
        found.append("it scrolls sideways")
    if size is ENLARGED:
        return found + covered_controls(page)
    if size is PHONE:
        found += small_targets(page)
    return found + faint_edges(page) + serious_faults(page)
