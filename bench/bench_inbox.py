"""Measure the inbox under 20 events a second: ``python bench/bench_inbox.py [--seconds 30] [--events 72000]``.

A real Chromium shows the inbox of the demo church on a running system (``manage.py up``, PostgreSQL).

1. For ``--seconds``, 20 texts a second come in. Chromium's own trace tells the longest task of the page's thread
   and the longest time from a dropped frame to the next that was drawn.
2. An hour of such events (72,000) comes in quicker, by ``--factor``. After each quarter the heap, the nodes and
   the listeners of the page are counted, after a collection. Flat: the last quarter is like the first.

The page renews its list at most once a second, so a compressed hour has fewer renewals than an hour.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from figures import print_figure, say  # noqa: E402  # found by the path above
from playwright.sync_api import CDPSession, Page, sync_playwright  # noqa: E402

from tests.support.browser import LAUNCH_ARGUMENTS, chromium_path  # noqa: E402  # the same
from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # the same
from tests.support.running_system import RunningSystem  # noqa: E402  # the same

RATE = 20
MOST_MS = 100
QUARTERS = 4
_CATEGORIES = [
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
]


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        server = EmbeddedPostgres(directory / "postgres")
        try:
            environment = {"DATABASE_URL": server.url, "THROTTLING_ENABLED": "0"}
            with (
                RunningSystem(directory / "up", **environment) as system,
                _inbox(system) as (page, path),
            ):
                _trace(system, page, options.seconds)
                _hour(system, page, path, options)
        finally:
            server.stop("immediate")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="the traced time")
    parser.add_argument("--events", type=int, default=RATE * 3600)
    parser.add_argument("--factor", type=float, default=20.0, help="how much quicker the hour is")
    return parser.parse_args()


@contextmanager
def _inbox(system: RunningSystem) -> Iterator[tuple[Page, str]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=[*LAUNCH_ARGUMENTS, "--js-flags=--expose-gc"]
        )
        page = browser.new_page(base_url=system.url, viewport={"width": 1280, "height": 900})
        page.goto("/login/")
        page.get_by_label("User name").fill("grace-sender")
        page.locator("input[type=password]").fill(system.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/churches/**")
        path = page.url.partition("/churches/")[2].partition("/")[0]
        _feed(system, "texts", 50, 2)
        page.goto(f"/churches/{path}/inbox/")
        page.wait_for_selector("[data-state=live]", state="attached")
        yield page, path
        browser.close()


def _trace(system: RunningSystem, page: Page, seconds: float) -> None:
    browser = page.context.browser
    if browser is None:
        raise RuntimeError("The page has no browser.")
    browser.start_tracing(page=page, categories=_CATEGORIES)
    with _feeding(system, "texts", RATE, seconds) as feed:
        while feed.poll() is None:
            page.wait_for_timeout(250)
        page.wait_for_timeout(2000)
    told = smoothness(json.loads(browser.stop_tracing())["traceEvents"])
    renewed = page.locator("[data-conversation], .inbox-list li").count()
    say(
        f"{RATE} texts/s for {seconds:.0f} s; {renewed} conversations; {told.frames} frames drawn, "
        f"{told.dropped} dropped; {told.long_tasks} tasks above {MOST_MS} ms on the wall"
    )
    print_figure("inbox_longest_task_cpu", told.longest_cpu, "ms")
    print_figure("inbox_longest_task", told.longest_task, "ms")
    print_figure("inbox_longest_drop", told.longest_drop, "ms")


@dataclass(frozen=True)
class Smoothness:
    frames: int
    dropped: int
    long_tasks: int
    longest_task: float
    longest_cpu: float
    """CPU time of the thread, which a busy machine does not lengthen."""
    longest_drop: float
    """From a dropped frame to the next that was drawn."""


def smoothness(events: list[dict[str, Any]]) -> Smoothness:
    """Return what Chromium's trace says about the frames and the main thread of the page."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event
        for event in events
        if event["name"] in ("RunTask", "ThreadControllerImpl::RunTask")
        and (event["pid"], event["tid"]) in mains
    ]
    frames = sorted(
        (event["ts"], event["name"])
        for event in events
        if event["name"] in ("DrawFrame", "DroppedFrame")
    )
    longest, dropped_at = 0.0, None
    for at, name in frames:
        if name == "DroppedFrame":
            dropped_at = at if dropped_at is None else dropped_at
        elif dropped_at is not None:
            longest, dropped_at = max(longest, (at - dropped_at) / 1000), None
    if not tasks:
        raise RuntimeError("Chromium's trace names no task of the page's thread.")
    walls = [task.get("dur", 0) / 1000 for task in tasks]
    return Smoothness(
        frames=sum(name == "DrawFrame" for _, name in frames),
        dropped=sum(name == "DroppedFrame" for _, name in frames),
        long_tasks=sum(wall > MOST_MS for wall in walls),
        longest_task=max(walls, default=0.0),
        longest_cpu=max((task.get("tdur", 0) / 1000 for task in tasks), default=0.0),
        longest_drop=longest,
    )


def _hour(system: RunningSystem, page: Page, path: str, options: argparse.Namespace) -> None:
    devtools = page.context.new_cdp_session(page)
    rate = RATE * options.factor
    quarter = options.events / QUARTERS
    # The first renewals fill caches and compile the page.
    _feed_beside(system, page, rate, min(10.0, quarter / rate))
    heaps = []
    for number in range(QUARTERS + 1):
        if number:
            _feed_beside(system, page, rate, quarter / rate)
        heap, nodes, listeners = _memory(devtools)
        heaps.append(heap)
        say(
            f"after {number * quarter:>7.0f} events: {heap:.2f} MB, {nodes} nodes, {listeners} listeners"
        )
    print_figure("inbox_heap_growth", heaps[-1] / heaps[1], "x")


def _memory(devtools: CDPSession) -> tuple[float, int, int]:
    for _ in range(3):
        devtools.send("HeapProfiler.collectGarbage")
    used = devtools.send("Runtime.getHeapUsage")["usedSize"] / 2**20
    counted = devtools.send("Memory.getDOMCounters")
    return used, counted["nodes"], counted["jsEventListeners"]


def _feed_beside(system: RunningSystem, page: Page, rate: float, seconds: float) -> None:
    with _feeding(system, "events", rate, seconds) as feed:
        while feed.poll() is None:
            page.wait_for_timeout(250)
    page.wait_for_timeout(2000)


def _feed(system: RunningSystem, kind: str, rate: float, seconds: float) -> None:
    with _feeding(system, kind, rate, seconds) as feed:
        feed.wait()


@contextmanager
def _feeding(
    system: RunningSystem, kind: str, rate: float, seconds: float
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603  # a file of this repository
        [sys.executable, str(ROOT / "bench" / "inbox_feed.py"), kind, str(rate), str(seconds)],
        cwd=ROOT, env=system.environment_beside, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        told, _ = process.communicate()
        if process.returncode:
            raise RuntimeError("The feed failed.")
        say(f"  fed {kind}: {told.strip()} s")


if __name__ == "__main__":
    main()
