"""Measure the whole system: ``python bench/bench_system.py [--texts 2000] [--tree PATH]``.

One web process, one worker, PostgreSQL and Valkey deliver a broadcast through the Telnyx simulator, which
sends both webhooks of each text. The CPU time of each group of processes comes from ``/proc``, without
the simulator's. ``--tree`` measures another checkout, such as an older release, through its public faces.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from driven_system import Delivered, DrivenSystem  # noqa: E402  # found by the path above
from figures import print_figure, say  # noqa: E402  # found by the path above
from profiles import profiled  # noqa: E402  # found by the path above
from system_parts import Build, Setup, running_parts  # noqa: E402  # found by the path above

GROUPS = ("web", "worker", "PostgreSQL", "nginx", "Redis")
WARM_UP = 200


def main() -> None:
    options = _options()
    build = Build(options.tree.resolve(), options.python)
    setup = Setup(
        database=options.database, server=options.server, webs=options.webs, nginx=options.nginx,
        profile=options.profile is not None,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        os.chmod(directory, 0o711)  # noqa: S103  # PostgreSQL runs as another user if we are root
        with running_parts(build, setup, Path(directory)) as parts:
            system = DrivenSystem(parts, WARM_UP)
            system.grow(options.texts)
            system.deliver(WARM_UP)
            rounds = [_measured(system, options.texts) for _ in range(options.rounds)]
            if options.profile:
                with profiled(parts, options.profile, options.texts):
                    system.deliver(options.texts)
    _report(rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout that is measured")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of that checkout")
    parser.add_argument("--texts", type=int, default=2000, help="texts of one broadcast")
    parser.add_argument("--rounds", type=int, default=3, help="broadcasts that are measured")
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
    parser.add_argument("--webs", type=int, default=1, help="web processes; two need nginx")
    parser.add_argument("--nginx", action="store_true", help="TLS, by deploy/nginx.conf")
    parser.add_argument("--profile", type=Path, help="a folder for profiles of one more broadcast")
    return parser.parse_args()


def _measured(system: DrivenSystem, texts: int) -> Delivered:
    found = system.deliver(texts)
    costs = ", ".join(
        f"{group} {found.ms_per_text(group):.2f}" for group in GROUPS if found.cpu.get(group)
    )
    say(
        f"  {found.per_second:.0f} texts/s, {found.ms_per_text(*GROUPS):.2f} ms of CPU per text"
        f" ({costs}; simulator {found.ms_per_text('simulator'):.2f}), accepted after"
        f" {found.accepted_seconds:.2f} s, {found.webhook_attempts} webhooks,"
        f" {found.lost} lost, {found.doubled} doubled"
    )
    return found


def _report(rounds: list[Delivered]) -> None:
    """Print the medians of the rounds."""
    lost, doubled = sum(one.lost for one in rounds), sum(one.doubled for one in rounds)
    print_figure("cpu_per_text", median(one.ms_per_text(*GROUPS) for one in rounds), "ms")
    for group, name in (
        ("web", "web"), ("worker", "worker"), ("PostgreSQL", "database"), ("nginx", "nginx"),
        ("Redis", "redis"), ("simulator", "simulator"),
    ):  # fmt: skip
        if rounds[0].cpu.get(group):
            print_figure(
                f"cpu_per_text_{name}", median(one.ms_per_text(group) for one in rounds), "ms"
            )
    print_figure("texts_per_second", median(one.per_second for one in rounds), "texts/s")
    print_figure("texts_lost", lost, "count")
    print_figure("texts_doubled", doubled, "count")
    if lost or doubled:
        sys.exit(f"{lost} texts were lost and {doubled} were doubled.")


if __name__ == "__main__":
    main()
