"""An office of people who look at the console, each in a separate browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, Page, Request

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.realtime.chaos_proxy import ChaosProxy  # noqa: E402  # found by the path above
from tests.support.running_system import RunningSystem  # noqa: E402  # the same

STAFF = 20
IN_VAIN = "in vain"
"""Requests during the break of the network."""
CHURCH = "/api/v1/churches/grace/"
LIST_EVERY_5_S = f"setInterval(() => fetch('{CHURCH}messages/', {{cache: 'no-store'}}), 5000)"
SIGN_IN = f"""
from django.contrib.auth.models import User
from django.test import Client
from koinonia.models import Church, Staff
church = Church.objects.get(slug="grace")
names = ["grace-owner", *(f"grace-desk-{{n}}" for n in range(1, {STAFF}))]
for name in names:
    user, _ = User.objects.get_or_create(username=name)
    Staff.objects.get_or_create(church=church, user=user, defaults={{"role": "sender"}})
    client = Client()
    client.force_login(user)
    print("session", client.cookies["sessionid"].value)
"""
"""A script for ``manage.py shell``: creates the staff, and prints a session of each.

The first user is the author of the texts.
"""
Count = Counter[str]


class Desks:
    """The tabs of an office behind one simulated network, with counts of their requests."""

    def __init__(
        self,
        name: str,
        browser: Browser,
        proxy: ChaosProxy,
        sessions: list[str],
        *,
        listens: bool = True,
    ) -> None:
        self.name, self.proxy, self.listens = name, proxy, listens
        self.asked: list[Count] = [Counter() for _ in sessions]
        self.cut_off = False
        self.pages = [self._tab(browser, at, session) for at, session in enumerate(sessions)]

    def _tab(self, browser: Browser, at: int, session: str) -> Page:
        url = f"http://127.0.0.1:{self.proxy.port}"
        context = browser.new_context(base_url=url)
        context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        page = context.new_page()
        if not self.listens:
            page.route("**/static/realtime/**", lambda route: route.abort())
            page.add_init_script(LIST_EVERY_5_S)
        page.on("request", lambda request: self._count(at, request))
        page.on("websocket", lambda _: self._add(at, "handshake"))
        return page

    def _count(self, at: int, request: Request) -> None:
        path = request.url.partition("//")[2].partition("/")[2].partition("?")[0]
        if path.startswith("static/"):
            return
        if request.resource_type == "document":
            kind = "page"
        else:
            kind = "events" if path.endswith("/events/") else "list"
        self._add(at, kind)

    def _add(self, at: int, kind: str) -> None:
        self.asked[at].update([IN_VAIN if self.cut_off else kind])

    def taken(self) -> list[Count]:
        """Return the requests of each tab since the last call."""
        asked, self.asked[:] = list(self.asked), [Counter() for _ in self.asked]
        return asked

    def all(self) -> Count:
        """Return the requests of the whole office since the last call, scaled to 20 tabs."""
        total = sum(self.taken(), Counter())
        return Counter({kind: count * STAFF // len(self.pages) for kind, count in total.items()})


def sessions_of_staff(system: RunningSystem) -> list[str]:
    """Create the 20 users, and return a session of each."""
    made = subprocess.run(  # noqa: S603  # a command of this project
        [sys.executable, str(ROOT / "manage.py"), "shell", "-c", SIGN_IN],
        env={**os.environ, "DATA_DIR": str(system.data_dir)}, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.split()[1] for line in made.stdout.splitlines() if line.startswith("session ")]
