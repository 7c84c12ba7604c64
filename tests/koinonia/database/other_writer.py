"""Another process with a connection to the SQLite file: it takes the orders of a test, line by line."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import django
from django.conf import settings
from django.db import connection, transaction

from koinonia.database.sqlite.write_queue import WriteQueue, queue_of

ROOT = Path(__file__).resolve().parents[3]
OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
}


def databases(file: Path, **options: object) -> dict[str, dict[str, object]]:
    """Return DATABASES for a file, with the project's backend."""
    name = {"ENGINE": "koinonia.database.sqlite", "NAME": str(file)}
    return {"default": {**name, "OPTIONS": {**OPTIONS, **options}}}


class OtherWriter:
    """The process. ``order`` returns as soon as the process has obeyed, or answers ``waits``."""

    def __init__(self, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.koinonia.database.other_writer", str(file)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, *words: str) -> str:
        self.tell(*words)
        return self.answer()

    def tell(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    settings.configure(DATABASES=databases(Path(sys.argv[1])), INSTALLED_APPS=[])
    django.setup()
    atomic = transaction.atomic()
    for line in sys.stdin:
        match line.split():
            case ["begin"]:
                atomic.__enter__()
            case ["commit"]:
                atomic.__exit__(None, None, None)
            case ["add", number]:
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO note (number) VALUES (%s)", [number])
            case ["close_gate"]:
                fcntl.flock(_queue()._pipe, fcntl.LOCK_EX)
            case ["fork"]:
                if os.fork() == 0:
                    _queue().start(lambda: _say("child waits for nobody in its process"), 0)
                    os._exit(0)
                os.wait()
                continue
            case ["fork_and_stay"]:
                if os.fork() == 0:
                    # The child says it, because it has closed by now what it must not keep.
                    _say("done")
                    sys.stdin.read()  # until the test ends
                    os._exit(0)
                continue
        _say("done")


def _queue() -> WriteQueue:
    connection.ensure_connection()
    queue = queue_of(sys.argv[1])
    assert queue is not None
    return queue


if __name__ == "__main__":
    main()
