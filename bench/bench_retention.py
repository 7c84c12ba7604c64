"""The longest wait of writers while ``prune`` deletes old texts, on PostgreSQL.

    python -m bench.bench_retention [--messages 200000]

One writer changes texts that prune is about to delete, and their conversations; another adds texts to the same
churches. Their waits are printed without prune and during prune, with the longest transaction of prune.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg

from bench.figures import say
from bench.scale import _filled
from bench.scale_set import CHURCHES
from tests.support.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
QUIET_SECONDS = 10
_PRUNE = """
import json, time
from django.utils import timezone
from delivery.retention import Archives, Pace, texts
from django.conf import settings
from pathlib import Path
longest, slices = [0.0], [0]
def rest(seconds):
    longest[0], slices[0] = max(longest[0], seconds), slices[0] + 1
    time.sleep(seconds)
settings.KEEP_TEXTS_DAYS = 60
archives = Archives(Path(settings.ARCHIVE_DIR), timezone.now())
began, cpu = time.monotonic(), time.process_time()
rows = texts.delete_old(timezone.now(), archives, Pace(rest=rest))
took, cpu = time.monotonic() - began, time.process_time() - cpu
archives.close()
size = sum(path.stat().st_size for path in Path(settings.ARCHIVE_DIR).iterdir())
print(json.dumps({"rows": rows, "seconds": took, "cpu": cpu, "slices": slices[0], "longest": longest[0], "bytes": size}))
"""
_CHANGE = """
WITH one AS (UPDATE delivery_message SET read_at = now() WHERE id = %s RETURNING thread)
UPDATE koinonia_conversation SET unread_count = unread_count WHERE id = (SELECT thread FROM one)
"""
_ADD = """
INSERT INTO delivery_message
    (tenant_id, direction, status, to_number, from_number, text, media_urls, encoding, parts, priority,
     created_at, updated_at, claimed_from, attempts, calls, ambiguous, claims, generation,
     callback_origin, error_code, error_title, error_class, discarded_reason)
VALUES (%s, 'outbound', 'delivered', '+12012000001', '+13122000001', 'Hello', '[]', 'GSM-7', 1, 0,
        now(), now(), '', 0, 0, false, 0, 1, '', '', '', '', '')
"""


class Writer(threading.Thread):
    """Runs one statement after another, and keeps how long each took."""

    def __init__(self, url: str, statement: str, most: int, stop: threading.Event) -> None:
        super().__init__()
        self.url, self.statement, self.most, self.stop = url, statement, most, stop
        self.waits: list[float] = []

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.stop.is_set():
                began = time.monotonic()
                connection.execute(self.statement, [random.randint(1, self.most)])  # type: ignore[arg-type]  # noqa: S311
                self.waits.append(time.monotonic() - began)
                time.sleep(0.002)

    def told(self) -> str:
        waits = sorted(self.waits)
        return f"{len(waits)} statements, p99 {waits[len(waits) * 99 // 100] * 1000:.1f} ms, longest {waits[-1] * 1000:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    messages = parser.parse_args().messages
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        server = EmbeddedPostgres(directory / "postgres")
        try:
            url = _filled(server, messages, directory)
            _beside("without prune", url, messages, lambda: time.sleep(QUIET_SECONDS))
            _beside("beside prune", url, messages, lambda: _prune(url, directory))
        finally:
            server.stop()


def _beside(name: str, url: str, messages: int, work: object) -> None:
    stop = threading.Event()
    writers = {
        "changes old texts": Writer(url, _CHANGE, messages, stop),
        "adds texts": Writer(url, _ADD, CHURCHES, stop),
    }
    for writer in writers.values():
        writer.start()
    try:
        work()  # type: ignore[operator]
    finally:
        stop.set()
        for writer in writers.values():
            writer.join()
    for what, writer in writers.items():
        say(f"{name}: {what}: {writer.told()}; load {os.getloadavg()[0]:.1f}")


def _prune(url: str, directory: Path) -> None:
    done = subprocess.run(  # noqa: S603  # a command of this repository
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", _PRUNE],
        cwd=ROOT,
        env=os.environ | {
            "DATABASE_URL": url, "DATA_DIR": str(directory / "var"), "SECRET_KEY": "bench" * 12,
            "REDIS_URL": "redis://127.0.0.1:1", "LOG_LEVEL": "ERROR",
        },
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    say(
        f"prune: {found['rows']} texts in {found['slices']} transactions, {found['seconds']:.0f} s"
        f" ({found['cpu'] / found['rows'] * 1000:.2f} ms of CPU each), longest transaction"
        f" {found['longest'] * 1000:.0f} ms, {found['bytes'] / found['rows']:.0f} bytes of archive each"
    )


if __name__ == "__main__":
    main()
