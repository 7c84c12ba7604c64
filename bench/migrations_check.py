"""Run every migration since a release beside readers and writers: ``make migrations-check``.

A database at the schema of the release (``--since``, 49aea07) is filled with messages. Then one ``migrate``
of this tree runs beside a reader and a writer per table, and beside reports that hold a snapshot for
``--report-seconds``. The table has the longest wait of each during each migration. The exit status is 1
if one waited longer than ``--limit-ms``. ``--tree`` names another checkout, whose migrations run instead.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from figures import print_figure, say  # noqa: E402  # found by the path above
from migration_traffic import Traffic  # noqa: E402
from scale_set import FAST_LOAD, fill  # noqa: E402

from tests.support.postgres import EmbeddedPostgres  # noqa: E402  # found by the path above

_AFTER = "triggers and counts"


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="migrations-", dir=options.directory) as name:
        os.chmod(name, 0o711)  # noqa: S103  # PostgreSQL runs as another user if we are root
        directory = Path(name)
        server = EmbeddedPostgres(directory / "postgres")
        try:
            server.configure(FAST_LOAD)
            before = _checkout(options.since, directory / "before")
            say(f"{options.messages:,} messages at the schema of {options.since}:")
            _run(["manage.py", "migrate", "--verbosity", "0", "--skip-checks"], before, server.url)
            fill(server.url, options.messages, say)
            worst = _measure(server.url, options)
        finally:
            server.stop("immediate")
    say(f"Load of the machine: {os.getloadavg()[0]:.1f}")
    print_figure("longest_wait_of_a_writer", worst["writer"] * 1000, "ms")
    print_figure("longest_wait_of_a_reader", worst["reader"] * 1000, "ms")
    if max(worst.values()) * 1000 > options.limit_ms:
        sys.exit(f"Somebody waited longer than {options.limit_ms} ms.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--since", default="49aea07", help="a commit of this repository")
    parser.add_argument("--tree", type=Path, default=ROOT)
    parser.add_argument("--limit-ms", type=int, default=500)
    parser.add_argument("--report-seconds", type=float, default=10.0)
    parser.add_argument("--directory", help="where the database lives; a million needs 3 GB")
    return parser.parse_args()


def _checkout(commit: str, directory: Path) -> Path:
    packed = subprocess.run(  # noqa: S603  # the commit is the operator's
        ["git", "archive", commit],  # noqa: S607  # git of the PATH
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(directory, filter="data")
    return directory


def _measure(url: str, options: argparse.Namespace) -> dict[str, float]:
    with Traffic(url, report_seconds=options.report_seconds) as traffic:
        traffic.step = "before"
        time.sleep(5)
        started = {"before": time.monotonic()}
        command = ["manage.py", "migrate", "--noinput", "--skip-checks"]
        with subprocess.Popen(  # noqa: S603  # a file of this repository
            [sys.executable, *command], cwd=options.tree, env=_environment(url),
            stdout=subprocess.PIPE, text=True,
        ) as migrate:  # fmt: skip
            line = ""
            while letter := migrate.stdout.read(1) if migrate.stdout else "":
                line = "" if letter == "\n" else line + letter
                if line.startswith("  Applying ") and line.endswith("..."):
                    traffic.step = line.split()[1].removesuffix("...")
                    started[traffic.step] = time.monotonic()
                elif line.endswith(" OK"):
                    traffic.step = _AFTER
                    started[_AFTER] = time.monotonic()
        # The triggers and counts come last.
        ends = [*sorted(started.values())[1:], time.monotonic()]
        if migrate.returncode:
            sys.exit("migrate failed.")
        traffic.step = "an empty migrate"
        started[traffic.step] = time.monotonic()
        _run([*command, "--verbosity", "0"], options.tree, url)
        ends.append(time.monotonic())
    steps = sorted(started, key=lambda step: started[step])
    say(f"\n{'migration':52}{'seconds':>9}{'writer ms':>11}{'reader ms':>11}  slowest table")
    for step, end in zip(steps, ends, strict=True):
        waits = [traffic.longest(step, kind) for kind in ("writer", "reader")]
        cells = "".join(f"{wait * 1000:>11.0f}" for wait, _ in waits)
        say(f"{step:52}{end - started[step]:>9.1f}{cells}  {max(waits)[1]}")
    during = [step for step in steps if step != "before"]
    return {
        kind: max(traffic.longest(step, kind)[0] for step in during)
        for kind in ("writer", "reader")
    }


def _run(command: list[str], tree: Path, url: str) -> None:
    subprocess.run(  # noqa: S603  # a file of this repository or of a release
        [sys.executable, *command], cwd=tree, env=_environment(url), check=True
    )


def _environment(url: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": url,
        "DATA_DIR": tempfile.gettempdir() + "/migrations-check",
        "SECRET_KEY": "only-for-benchmarks-and-long-enough-to-please-the-checks-0123456789",
        "REDIS_URL": "redis://127.0.0.1:1",
        "LOG_LEVEL": "ERROR",
        "PYTHONUNBUFFERED": "1",
    }


if __name__ == "__main__":
    main()
