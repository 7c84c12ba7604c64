"""A process in a network namespace whose PostgreSQL vanishes: ``unshare -n python -m …vanished_primary DIRECTORY``.

It prints one JSON object: the seconds that each thread took, and the seconds until the database was back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support import postgres

PORT = 5432
_LISTEN = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={PORT}"]


def ask(statement: str = "SELECT 1") -> tuple[bool, float]:
    """Return whether the database answered, and the seconds until this thread was free."""
    from django.db import Error, connection

    from koinonia.database import outage

    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
        answered = True
    except Error as error:
        answered = outage.note(error) is None
    finally:
        connection.close()
    return answered, time.monotonic() - began


def cut() -> None:
    for side in ("--dport", "--sport"):
        rule = ["iptables", "-A", "OUTPUT", "-p", "tcp", side, str(PORT), "-j", "DROP"]
        subprocess.run(rule, check=True)


def main(directory: Path) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    postgres._SETTINGS[:] = _LISTEN
    server = postgres.EmbeddedPostgres(directory / "postgres")
    os.environ.update(
        DATABASE_URL=f"postgres://koinonia@127.0.0.1:{PORT}/postgres", DATABASE_POOL="20",
        DJANGO_SETTINGS_MODULE="koinonia.settings", DATA_DIR=str(directory),
    )  # fmt: skip
    import django

    django.setup()
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(ask, ["SELECT pg_sleep(0.3)"] * 12))
        waiting = [threads.submit(ask, "SELECT pg_sleep(60)") for _ in range(6)]
        time.sleep(1)
        cut()
        began = time.monotonic()
        new = [threads.submit(ask) for _ in range(6)]
        in_flight = [(one.result()[0], time.monotonic() - began) for one in waiting]
        later = [one.result() for one in new] + [ask() for _ in range(3)]
    subprocess.run(["iptables", "-F"], check=True)
    began = time.monotonic()
    while not ask()[0] and time.monotonic() - began < 60:
        pass
    found = {"in_flight": in_flight, "later": later, "back": time.monotonic() - began}
    sys.stdout.write(json.dumps(found))
    server.stop("immediate")
    sys.stdout.flush()
    os._exit(0)  # The threads of the pool need no orderly end.


if __name__ == "__main__":
    main(Path(sys.argv[1]))
