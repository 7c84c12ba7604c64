"""Count the requests of an hour in an office of 20: ``python bench/bench_polling.py [--quiet 50]``.

Three offices have the same hour: 40 texts sent and delivered, 40 replies, a broadcast to 300. Every person
loads the page and reloads it once, one laptop sleeps for 20 minutes, and the network breaks once.

* **5 s**: the page requests the message list every 5 s, without conditions, like the plan that Koinonia
  replaces. Four tabs, counted five times, because all of them do the same.
* **polling**: the console with ``REALTIME_ENABLED=0``. 20 tabs, each with its own browser and user.
* **socket**: the console with its default settings. Also 20 tabs.

**The hour is the sum of measured parts**, because heartbeats and held polls run in real time. Each event of
the hour is measured once in its own window, on real running systems in real Chromium, with every tab open.
The remainder of the hour counts like a measured quiet minute. Hour = the sum of (times in an hour x requests
in the window) + seconds outside the windows x quiet rate. The sleeping laptop sends no requests; the cost of
its waking is measured on a tab that loses its network and then gets ``online``. The break of the network is
10 s without a connection, and its window lasts until all tabs are connected again.

The count covers every request except static files, and includes the handshake of a WebSocket. Requests
during the break of the network never arrive: they have a separate row. The requests that people cause by
sending are equal in all three offices, and are not counted. **To stay current** is the same count without
the page itself and the two lists that the page loads.

With 20 people looking on, a broadcast of 300 costs some 60 to 80 requests in the office of 5 s, which keeps
its interval. It costs 170 to 280 with polling, because each frame answers a held request, which the page
then repeats. It costs 20 on the socket, where each tab fetches the top of the list once.

The offices run at once, so that the load of the machine affects them equally: a little over four minutes on
two busy cores.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from polling_hour import Hours, arrived, print_row  # noqa: E402  # found by the path above
from polling_office import STAFF, Desks, sessions_of_staff  # noqa: E402  # the same
from realtime_goals import Goals  # noqa: E402  # found by the path above

from tests.console.random_actions import Office  # noqa: E402  # the same
from tests.realtime.chaos_proxy import ChaosProxy  # noqa: E402  # the same
from tests.support.browser import LAUNCH_ARGUMENTS, chromium_path  # noqa: E402  # the same
from tests.support.running_system import RunningSystem  # noqa: E402  # the same

EXCHANGES, MEASURED_EXCHANGES, EXCHANGE_SECONDS = 40, 2, 10
BROKEN = 10
FIVE, POLLING, SOCKET = "5 s", "polling", "socket"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quiet", type=float, default=50, help="seconds of the quiet window (two held polls)"
    )
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        ExitStack() as systems,
        ThreadPoolExecutor() as pool,
    ):
        live = RunningSystem(Path(directory) / "live")
        deaf = RunningSystem(Path(directory) / "poll", REALTIME_ENABLED="0")
        for system in pool.map(_started, (live, deaf)):
            systems.callback(system.stop)
        _compare(live, deaf, asked.quiet)


def _started(system: RunningSystem) -> RunningSystem:
    system.start()
    return system


def _compare(live: RunningSystem, deaf: RunningSystem, quiet: float) -> None:
    with (
        ChaosProxy(_port(live)) as to_live,
        ChaosProxy(_port(deaf)) as to_deaf,
        sync_playwright() as playwright,
    ):
        sessions = sessions_of_staff(live)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=LAUNCH_ARGUMENTS)
        offices = [
            Desks(FIVE, browser, to_live, sessions[: STAFF // 5], listens=False),
            Desks(POLLING, browser, to_deaf, sessions_of_staff(deaf)),
            Desks(SOCKET, browser, to_live, sessions),
        ]
        hours = Hours(offices)
        _measure(hours, [live, deaf], [to_live, to_deaf], quiet)
        browser.close()
    _judge(hours.totals())


def _measure(
    hours: Hours, systems: list[RunningSystem], networks: list[ChaosProxy], quiet: float
) -> None:
    churches = [Office(system, "grace-owner", 0) for system in systems]
    pages = [page for office in hours.offices for page in office.pages]

    def load() -> None:
        for page in pages:
            page.goto("/", wait_until="commit")

    def ready() -> bool:
        return all(page.query_selector("#messages li") for page in pages) and all(
            page.query_selector(f"#link[data-state={state}]")
            for office, state in zip(hours.offices[1:], ("polling", "live"), strict=True)
            for page in office.pages
        )

    def reload() -> None:
        for page in pages:
            page.reload(wait_until="commit")

    def exchanges() -> None:
        for number in range(MEASURED_EXCHANGES):
            for church in churches:
                church.post(
                    "messages/", {"to": "+13125550142", "text": f"Are you coming? {number}"}
                )
            hours.let_pass(EXCHANGE_SECONDS / 2)
            for system, church in zip(systems, churches, strict=True):
                _reply(system, church, number)
            hours.let_pass(EXCHANGE_SECONDS / 2)

    def broadcast() -> None:
        body = {"text": "Dear {first_name}, the picnic is on Sunday.", "audience": {"all": True}}
        for church in churches:
            church.post("broadcasts/", body)

    def delivered() -> bool:
        hours.let_pass(1.5)
        latest = [church.get("broadcasts/?page_size=1")["results"][0] for church in churches]
        return all(one["counts"].get("delivered", 0) >= one["total"] for one in latest)

    def break_network() -> None:
        for network in networks:
            network.refuse()
            network.reset()
        for office in hours.offices:
            office.cut_off = True
        hours.let_pass(BROKEN)
        for network in networks:
            network.recover()
        for office in hours.offices:
            office.cut_off = False

    hours.window("the page is loaded", 1, load, ready)
    hours.window("the page is reloaded", 1, reload, ready)
    hours.window(
        f"{EXCHANGES} texts and replies", EXCHANGES / MEASURED_EXCHANGES, exchanges, lambda: True
    )
    hours.window("a broadcast of 300", 1, broadcast, delivered)
    hours.window("the network breaks", 1, break_network, ready)
    hours.waking()
    hours.quiet(quiet)


def _reply(system: RunningSystem, church: Office, number: int) -> None:
    body = {"from": "+13125550142", "to": church.get("")["phone_number"], "text": f"Yes, {number}!"}
    answer = requests.post(f"{system.simulator['control']}/inbound", json=body, timeout=10)
    answer.raise_for_status()


def _port(system: RunningSystem) -> int:
    return int(system.url.rpartition(":")[2])


def _judge(totals: dict[str, dict[str, float]]) -> None:
    everything = {name: arrived(kinds) for name, kinds in totals.items()}
    current = {name: everything[name] - 3 * kinds["page"] for name, kinds in totals.items()}
    print()  # noqa: T201
    for kind in totals[FIVE]:
        print_row(f"of these: {kind}", [kinds[kind] for kinds in totals.values()])
    print_row("all requests", [*everything.values()])
    print_row("to stay current", [*current.values()])
    goals = Goals()
    for what, counts in (("to stay current", current), ("all requests", everything)):
        print(f"{what}, saved by polling: {1 - counts[POLLING] / counts[FIVE]:.1%}")  # noqa: T201
        for more in (FIVE, POLLING):
            saved = 1 - counts[SOCKET] / counts[more]
            goals.at_least(f"{what}, saved by the socket against {more}", 0.8, saved)
    goals.at_least(
        "aim: to stay current, saved by the socket against 5 s",
        0.99,
        1 - current[SOCKET] / current[FIVE],
    )
    goals.report()


if __name__ == "__main__":
    main()
