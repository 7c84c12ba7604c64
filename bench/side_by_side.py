"""Run benchmarks on another checkout and on this one in turn: ``python bench/side_by_side.py TREE [NAME …]``.

Each runs on the other checkout, on this one, and on the other one again, so that a change of the
machine's speed shows. A benchmark with the option ``--tree`` measures the other checkout itself; of any
other, the checkout's own version runs. At the end comes a table with the targets of ``bench/targets.py``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).parent
sys.path.insert(0, str(BENCH))

from figures import figures_in, say  # noqa: E402  # found by the path above
from targets import TARGETS, Compared, Run, Target  # noqa: E402  # found by the path above

Figures = Mapping[str, float]


@dataclass
class Results:
    """The figures of each run on both checkouts."""

    before: dict[Run, list[Figures]] = field(default_factory=dict)
    now: dict[Run, list[Figures]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def old(self, target: Target) -> float | None:
        """Return the mean of the figures of the other checkout, or else the figure in the target."""
        found = _mean(self.before.get(target.run, []), target.figure)
        return target.before if found is None else found

    def new(self, target: Target) -> float | None:
        return _mean(self.now.get(target.run, []), target.figure)

    def judged(self, target: Target) -> float | None:
        """Return the value that the bound of the target is for."""
        new = self.new(target)
        if target.compared is Compared.ALONE:
            return new
        if target.compared is Compared.BEFORE:
            base = _mean(self.before.get(target.run, []), target.figure)
        else:
            base = _mean(self.now.get(target.other, []), target.figure) if target.other else None
        return new / base if new is not None and base else None


def main() -> None:
    options = _options()
    results = Results()
    for run in _runs(options.names):
        sides = [(options.tree, f"{options.label}"), (None, "this tree")]
        sides += [(options.tree, f"{options.label} again")]
        for tree, label in sides if run.also_before else [(None, "this tree")]:
            _measure(run, tree, label, options.arguments, results)
    say("\n" + table(results))
    if results.failed:
        sys.exit(f"Failed: {', '.join(results.failed)}.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path, help="the other checkout, with a .venv")
    parser.add_argument("names", nargs="*", help="files of bench/; all if none is named")
    parser.add_argument("--label", default="before", help="the name of the other checkout")
    parser.add_argument(
        "--arguments", nargs=argparse.REMAINDER, default=[], help="for each benchmark"
    )
    return parser.parse_args()


def _runs(names: Sequence[str]) -> list[Run]:
    """Return the runs of the named benchmarks: those that targets need, or else one without arguments."""
    names = names or sorted(path.name for path in BENCH.glob("bench_*.py"))
    known = list(dict.fromkeys(target.run for target in TARGETS))
    return [
        run
        for name in names
        for run in [run for run in known if run.benchmark == name] or [Run(name)]
        if (BENCH / name).exists()
    ]


def _measure(
    run: Run, tree: Path | None, label: str, arguments: Sequence[str], results: Results
) -> None:
    command = command_for(run, tree)
    if command is None:
        say(f"== {run.title} ({label}): that checkout has no such benchmark")
        return
    say(f"== {run.title} ({label})")
    process = subprocess.Popen(  # noqa: S603  # a file of a checkout of this repository
        [*command, *run.arguments, *arguments], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    lines = []
    for line in process.stdout or ():
        say(line.rstrip("\n"))
        lines.append(line)
    if process.wait() != 0:
        results.failed.append(f"{run.title} ({label})")
    kept = results.now if tree is None else results.before
    kept.setdefault(run, []).append(figures_in("".join(lines)))


def command_for(run: Run, tree: Path | None) -> list[str] | None:
    """Return the command that measures ``tree`` (None: this one); None if nothing can measure it."""
    ours = BENCH / run.benchmark
    if tree is None:
        return [sys.executable, str(ours)]
    if '"--tree"' in ours.read_text():
        return [sys.executable, str(ours), "--tree", str(tree)]
    own = tree / "bench" / run.benchmark
    # A benchmark that this tree has too, with arguments that only this tree's version knows, is left out.
    return [sys.executable, str(own)] if own.exists() and not run.arguments else None


def table(results: Results) -> str:
    """Return the table of the measured targets, and the names of the others."""
    rows = [("work", "before", "now", "ratio", "target", "met")]
    left_out = []
    for target in TARGETS:
        new, judged = results.new(target), results.judged(target)
        if new is None:
            left_out.append(target.work)
            continue
        old = results.old(target)
        ratio = new / old if old else None
        if target.compared is Compared.OTHER:
            ratio = judged
        met = "?" if judged is None else "yes" if target.is_met(judged) else "NO"
        rows.append((target.work, _told(old), _told(new), _told(ratio), target.told, met))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    if left_out:
        lines.append(f"Not measured in this run: {'; '.join(left_out)}.")
    return "\n".join(lines)


def _mean(runs: Sequence[Figures], name: str) -> float | None:
    values = [figures[name] for figures in runs if name in figures]
    return sum(values) / len(values) if values else None


def _told(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    main()
