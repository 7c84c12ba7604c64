"""Measure the memory: ``python bench/bench_memory.py [--texts 100000] [--sockets 1000] [--scale 0.1]``.

Web and worker of a whole system are measured after 1,000 texts, while the sockets are open and 200 texts
pass them, and after all texts, when the sockets are closed again. The ratio of the last to the first may be at most 1.2.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from driven_system import DrivenSystem  # noqa: E402  # found by the path above
from figures import print_figure, say  # noqa: E402  # found by the path above
from process_cost import megabytes  # noqa: E402  # found by the path above
from system_parts import Build, Parts, Setup, running_parts  # noqa: E402  # found by the path above

FIRST = 1000
WITH_SOCKETS = 200
BROADCAST = 5000
SOCKETS_OF_A_USER = 20
GROUPS = ("web", "worker")
_VIEWERS = """
from django.contrib.auth.models import User
from koinonia.models import Church, Role, Staff
church = Church.objects.get(slug="grace")
password = User.objects.get(username="grace-viewer").password
for number in range({count}):
    user = User.objects.create(username=f"viewer{{number}}", password=password)
    Staff.objects.create(church=church, user=user, role=Role.VIEWER)
"""
Sizes = dict[str, tuple[float, float]]


def main() -> None:
    options = _options()
    build = Build(options.tree.resolve())
    setup = Setup(database=options.database, server=options.server)
    texts, sockets = (max(1, int(n * options.scale)) for n in (options.texts, options.sockets))
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        os.chmod(directory, 0o711)  # noqa: S103  # PostgreSQL runs as another user if we are root
        with running_parts(build, setup, Path(directory)) as parts:
            system = DrivenSystem(parts, FIRST)
            _deliver(system, FIRST)
            first = _sizes(parts, f"after {FIRST} texts")
            system.grow(WITH_SOCKETS)
            with _open_sockets(system, sockets):
                _deliver(system, WITH_SOCKETS)
                _sizes(parts, f"with {sockets} sockets open")
            broadcast = min(BROADCAST, texts)
            system.grow(broadcast)
            for number in range(1, texts // broadcast + 1):
                _deliver(system, broadcast)
                last = _sizes(parts, f"after {number * broadcast} more texts")
    for group in GROUPS:
        growth = max(now / then for now, then in zip(last[group], first[group], strict=True))
        print_figure(f"memory_{group}", last[group][1], "MB")
        print_figure(f"memory_growth_{group}", growth, "x")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout that is measured")
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument(
        "--scale", type=float, default=1, help="of texts and sockets: 0.1 is a tenth"
    )
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
    return parser.parse_args()


def _deliver(system: DrivenSystem, texts: int) -> None:
    found = system.deliver(texts)
    if found.lost or found.doubled:
        sys.exit(f"{found.lost} texts were lost and {found.doubled} were doubled.")


def _sizes(parts: Parts, when: str) -> Sizes:
    """Return RSS and PSS in MB by group, and print them."""
    found = {group: megabytes(parts.processes[group]) for group in GROUPS}
    told = ", ".join(f"{group} {rss:.0f} (PSS {pss:.0f})" for group, (rss, pss) in found.items())
    say(f"  {when}, RSS in MB: {told}")
    return found


@contextmanager
def _open_sockets(system: DrivenSystem, sockets: int) -> Iterator[None]:
    """Keep ``sockets`` open, as many users as that needs."""
    users = -(-sockets // SOCKETS_OF_A_USER)
    system.parts.manage("shell", "-c", _VIEWERS.format(count=users))
    tokens = [system.token(f"viewer{number}") for number in range(users)]
    url = system.parts.url.replace("http", "ws", 1) + "/ws/v1/"
    with subprocess.Popen(  # noqa: S603  # a file of this repository
        [sys.executable, str(ROOT / "bench" / "memory_crowd.py"), url, "church:grace"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as crowd:  # fmt: skip
        _say_to(crowd, (tokens * SOCKETS_OF_A_USER)[:sockets])
        if _hear(crowd) != "ready":
            sys.exit("The sockets did not open.")
        yield
        _say_to(crowd, [])
        lost = _hear(crowd)
    if lost != "0":
        sys.exit(f"The server closed {lost} sockets.")


def _say_to(crowd: subprocess.Popen[str], line: Sequence[str]) -> None:
    if crowd.stdin is not None:
        crowd.stdin.write(json.dumps(line) + "\n")
        crowd.stdin.flush()


def _hear(crowd: subprocess.Popen[str]) -> str:
    return crowd.stdout.readline().strip() if crowd.stdout is not None else ""


if __name__ == "__main__":
    main()
