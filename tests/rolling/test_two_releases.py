"""The release before and this one beside each other, on the schema of each step of an upgrade.

The steps are those of docs/operations/upgrade.md. The release before ends at once at TERM, so that its
clients meet errors when it stops; texts may still be neither lost nor doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cluster.traffic import Client
from tests.rolling import releases
from tests.rolling.load import Load
from tests.rolling.site import Process, RollingSite
from tests.rolling.test_restart import NEEDED, SOON, UNLIMITED
from tests.support.running_system import ROOT, database_environment
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_until

pytestmark = [
    *NEEDED,
    pytest.mark.chaos,
    pytest.mark.skipif(not releases.is_known(), reason="The history lacks the release before."),
]
_SLOWLY = 180


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return releases.unpack(tmp_path / "before")


@pytest.fixture
def site(tmp_path: Path, valkey: ValkeyServer, before: Path) -> Iterator[RollingSite]:
    """Run the release before on its own schema."""
    database = database_environment()["DATABASE_URL"]
    with RollingSite(tmp_path, database, valkey.url, before, UNLIMITED) as running:
        yield running


class Sender:
    """An owner who sends texts through one web process after the other."""

    def __init__(self, site: RollingSite) -> None:
        self._http = requests.Session()
        self._http.headers.update({"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"})
        given = {"username": "grace-owner", "password": site.password}
        path = f"http://{site.webs[0].address}/api/v1/auth/login/"
        token = self._http.post(path, json=given, timeout=60).json()["token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._number = 0

    def deliver(self, web: Process) -> None:
        """Send a text through this web process, and wait until the API calls it delivered."""
        self._number += 1
        path = f"http://{web.address}/api/v1/churches/grace/messages/"
        body = {"to": "+13125550123", "text": f"Text {self._number} of the upgrade"}
        sent = self._http.post(path, json=body, timeout=60)
        assert sent.status_code == 202, sent.text
        one = f"{path}{sent.json()['id']}/"
        wait_until(
            lambda: self._http.get(one, timeout=60).json()["status"] == "delivered",
            _SLOWLY, pause=0.2,
        )  # fmt: skip


def test_an_upgrade_and_the_way_back_lose_no_text(site: RollingSite, before: Path) -> None:
    sender = Sender(site)
    old_page = names_of_static_files(site)
    with Load(site) as load:
        site.manage(ROOT, "collectstatic", "--noinput", "--verbosity", "0")
        site.manage(ROOT, "migrate", "--pre", "--verbosity", "0")
        for web in site.webs:
            sender.deliver(web)
        for tree in (ROOT, before, ROOT):
            for web, worker in zip(site.webs, site.workers, strict=True):
                web.replace(tree)
                wait_until(web.is_ready, SOON, pause=0.2)
                for each in site.webs:
                    sender.deliver(each)
                worker.replace(tree)
                sender.deliver(web)
            assert_served(site, old_page)
        site.manage(ROOT, "migrate", "--verbosity", "0")
        site.manage(ROOT, "prune")
        for web in site.webs:
            sender.deliver(web)
        load.judge()
    assert site.manage(ROOT, "migrate", "--check") == ""


def names_of_static_files(site: RollingSite) -> list[str]:
    """Return the paths of the files that the page of the sign-in names."""
    page = Client(site, Load(site).record, "grace-owner").ask("GET", "/login/")
    assert page is not None
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert found
    return found


def assert_served(site: RollingSite, paths: list[str]) -> None:
    """Check that each web process serves the files of a page of either release."""
    for path in [*paths, *names_of_static_files(site)]:
        for web in site.webs:
            answer = web.asks(path)
            assert answer is not None
            assert answer.status_code == 200, f"{web.name}: {path}"
