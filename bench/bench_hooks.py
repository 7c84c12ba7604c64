"""Measure outgoing webhooks: ``python bench/bench_hooks.py [--database sqlite] [--events 5000]``.

The process of the product posts the events of the log to a sink on this machine; in the same run a bare pool
of ``requests`` sessions posts the same bodies to the same sink, before and after. Then events happen at a
steady rate, without and with a second receiver that never answers, and the lag of the first one is compared.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import local
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.figures import print_figure, say  # noqa: E402  # found by the path above
from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # found by the path above

_THREADS = 8
_STEADY_SECONDS = 15
_STEADY_RATE = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--events", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        server = EmbeddedPostgres(directory / "db") if options.database == "postgres" else None
        try:
            _set_up(directory, server.url if server else "")
            with _sink(directory) as sink:
                _measure(sink, options.events)
        finally:
            if server:
                server.stop()


def _set_up(directory: Path, database_url: str) -> None:
    """Set up Django with an empty database."""
    os.environ.update(
        DATA_DIR=str(directory / "data"), DATABASE_URL=database_url, SECRET_KEY="bench" * 10,
        REDIS_URL="unix:///nowhere", WEBHOOKS_TO_LOOPBACK="1", LOG_LEVEL="ERROR",
        DJANGO_SETTINGS_MODULE="koinonia.settings",
    )  # fmt: skip
    (directory / "data").mkdir(mode=0o700)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


@contextmanager
def _sink(directory: Path) -> Iterator[str]:
    port_file = directory / "port"
    with _process("bench/hooks_sink.py", str(port_file)):
        while not port_file.exists() or not port_file.read_text():
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port_file.read_text()}"


@contextmanager
def _process(*arguments: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT)  # noqa: S603 - this repository
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _measure(sink: str, events: int) -> None:
    from koinonia.models import Church
    from tests.support.webhooks import happen, webhook

    church = Church.objects.create(slug="grace", name="Grace Church")
    bodies = _bodies(events)
    bare = [_bare(sink, bodies)]
    webhook(church, f"{sink}/one")
    for start in range(0, events, 500):
        happen(church, *range(start, min(start + 500, events)))
    with _process("-m", "koinonia.webhooks"):
        ours = _rate(_until(sink, {"/one": events})["/one"])
        alone = _steady(sink, church)
        webhook(church, f"{sink}/dead", name="Dead")
        beside = _steady(sink, church)
    bare.append(_bare(sink, bodies))
    base = sum(bare) / len(bare)
    say(f"requests pool: {bare[0]:.0f} and {bare[1]:.0f} posts/s; webhooks: {ours:.0f} events/s")
    say(f"lag at {_STEADY_RATE} events/s: {alone[0]:.0f} ms median, {alone[1]:.0f} ms p99; beside a"
        f" dead receiver {beside[0]:.0f} ms, {beside[1]:.0f} ms; load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print_figure("hooks_rate", ours, "events/s")
    print_figure("hooks_to_requests", ours / base, "x")
    print_figure("hooks_dead_receiver", beside[1] / alone[1], "x")


def _bodies(events: int) -> list[bytes]:
    from koinonia.webhooks import payloads

    body = '{"seq":1,"type":"message.received","at":"2026-11-30T12:00:00.000Z","data":{"number":1}}'
    return [payloads.of_log(f"evt_grace_0_{seq}", "grace", body) for seq in range(events)]


def _bare(sink: str, bodies: Sequence[bytes]) -> float:
    kept = local()

    def post(body: bytes) -> None:
        session: Any = getattr(kept, "session", None)
        if session is None:
            session = kept.session = requests.Session()
        headers = {"Content-Type": "application/json"}
        session.post(f"{sink}/bare", data=body, headers=headers, timeout=15).raise_for_status()

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(post, bodies))
    return _rate(_until(sink, {"/bare": len(bodies)})["/bare"])


def _until(sink: str, wanted: dict[str, int], seconds: float = 300) -> dict[str, list[Any]]:
    """Return what the sink has taken once it has as many as are wanted of each path."""
    found: dict[str, list[Any]] = {}
    end = time.monotonic() + seconds
    while any(len(found.get(path, [])) < number for path, number in wanted.items()):
        if time.monotonic() > end:
            raise SystemExit(
                f"The sink has { ({path: len(rows) for path, rows in found.items()}) }."
            )
        time.sleep(0.5)
        for path, rows in requests.get(f"{sink}/taken", timeout=60).json().items():
            found.setdefault(path, []).extend(rows)
    return found


def _rate(rows: list[Any]) -> float:
    times = sorted(at for at, _ in rows)
    return (len(times) - 1) / (times[-1] - times[0])


def _steady(sink: str, church: Any) -> tuple[float, float]:
    """Return the median and the 99th percentile of the lag in ms."""
    from tests.support.webhooks import happen

    number = _STEADY_SECONDS * _STEADY_RATE
    next_at = time.monotonic()
    for one in range(number):
        happen(church, one)
        next_at += 1 / _STEADY_RATE
        time.sleep(max(0.0, next_at - time.monotonic()))
    lags = sorted(lag * 1000 for _, lag in _until(sink, {"/one": number})["/one"])
    return lags[len(lags) // 2], lags[len(lags) * 99 // 100]


if __name__ == "__main__":
    main()
