"""Many processes that charge one bucket get exactly the tokens that it holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import redis

from tests.support.valkey import ValkeyServer
from tests.throttling import concurrent_client
from throttling.buckets import Bucket, BucketStore, parse

ROOT = Path(__file__).parents[2]


def _tokens_granted(url: str, processes: int, tries: int, *wanted: str) -> int:
    started = [
        subprocess.Popen(
            [sys.executable, concurrent_client.__file__, url, str(tries), *wanted],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
        )
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return sum(int(process.communicate("go\n", timeout=30)[0]) for process in started)


def test_eight_processes_get_exactly_the_capacity(tmp_path: Path) -> None:
    valkey = ValkeyServer(tmp_path)
    try:
        assert _tokens_granted(valkey.url, 8, 100, "one=100/d") == 100
    finally:
        valkey.stop()


def test_two_buckets_are_charged_together_or_not_at_all(tmp_path: Path) -> None:
    valkey = ValkeyServer(tmp_path)
    try:
        assert _tokens_granted(valkey.url, 4, 100, "wide=100/d", "narrow=37/d") == 37
        store = BucketStore(lambda: redis.Redis.from_url(valkey.url), "concurrent")
        wide, narrow = store.peek(
            [Bucket("wide", parse("100/d")), Bucket("narrow", parse("37/d"))]
        ).states
        store.client.close()
        assert (wide.remaining, narrow.remaining) == (63, 0)
    finally:
        valkey.stop()


def test_repeated_script_flushes_change_no_count(tmp_path: Path) -> None:
    valkey = ValkeyServer(tmp_path)
    stop = Event()
    client = redis.Redis.from_url(valkey.url)

    def flush() -> None:
        while not stop.wait(0.001):
            client.script_flush()

    flusher = Thread(target=flush)
    flusher.start()
    try:
        assert _tokens_granted(valkey.url, 4, 200, "one=100/d") == 100
    finally:
        stop.set()
        flusher.join()
        client.close()
        valkey.stop()
