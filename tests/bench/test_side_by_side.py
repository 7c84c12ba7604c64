"""The comparison of two builds: its figures, its table, and the commands that it runs."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.running_system import ROOT
from tests.support.waiting import wait_until

BENCH = ROOT / "bench"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the importer of modules of ``bench/``, which find one another by the path."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module


@pytest.fixture
def compared(modules: Any) -> Any:
    return modules("side_by_side")


@pytest.fixture
def targets(modules: Any) -> Any:
    return modules("targets")


def test_the_figures_of_a_benchmark_are_its_lines_of_json(modules: Any) -> None:
    output = 'round 1: 9 ms\n{"name": "cpu_per_text", "value": 9.5, "unit": "ms"}\nend\n'
    assert modules("figures").figures_in(output) == {"cpu_per_text": 9.5}


def test_a_printed_figure_is_read_again(modules: Any, capsys: pytest.CaptureFixture[str]) -> None:
    figures = modules("figures")
    figures.print_figure("texts_per_second", 272.12345, "texts/s")
    assert figures.figures_in(capsys.readouterr().out) == {"texts_per_second": 272.1234}


def test_a_figure_is_divided_by_the_mean_of_the_runs_before(compared: Any, targets: Any) -> None:
    results = compared.Results(
        before={targets.POSTGRES: [{"cpu_per_text": 8.0}, {"cpu_per_text": 10.0}]},
        now={targets.POSTGRES: [{"cpu_per_text": 2.7}]},
    )
    row = next(line for line in compared.table(results).splitlines() if "CPU per deliv" in line)
    assert row.split()[-7:] == ["9.00", "2.70", "0.30", "≤", "0.3333", "x", "yes"]


def test_a_missed_target_is_said_and_what_was_not_measured_is_named(
    compared: Any, targets: Any
) -> None:
    results = compared.Results(now={targets.WEBHOOKS_AT_1000: [{"webhook_p99": 900.0}]})
    table = compared.table(results)
    row = next(line for line in table.splitlines() if "p99" in line)
    assert row.endswith("NO")
    assert "Not measured in this run: CPU per delivered text" in table


def test_sqlite_is_compared_with_postgresql_of_this_tree(compared: Any, targets: Any) -> None:
    results = compared.Results(
        now={
            targets.POSTGRES: [{"texts_per_second": 200.0}],
            targets.SQLITE: [{"texts_per_second": 190.0}],
        }
    )
    row = next(line for line in compared.table(results).splitlines() if "SQLite" in line)
    assert "0.95" in row
    assert row.endswith("yes")


def test_a_benchmark_with_the_option_measures_the_other_tree_itself(
    compared: Any, targets: Any, tmp_path: Path
) -> None:
    command = compared.command_for(targets.POSTGRES, tmp_path)
    assert command == [sys.executable, str(BENCH / "bench_system.py"), "--tree", str(tmp_path)]


def test_the_other_tree_runs_its_own_version_of_any_other_benchmark(
    compared: Any, targets: Any, tmp_path: Path
) -> None:
    run = targets.Run("bench_throttling.py")
    assert compared.command_for(run, tmp_path) is None
    own = tmp_path / "bench" / "bench_throttling.py"
    own.parent.mkdir()
    own.touch()
    assert compared.command_for(run, tmp_path) == [sys.executable, str(own)]


def test_the_cpu_time_of_a_tree_includes_children_that_have_ended(modules: Any) -> None:
    cost = modules("process_cost")
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as parent:
        wait_until(lambda: cost.cpu_seconds([parent.pid]) >= 0.15)
        rss, pss = cost.megabytes([parent.pid])
        parent.kill()
    assert rss >= pss > 1


def test_the_shares_of_a_profile_count_a_function_once_in_a_stack(modules: Any) -> None:
    stacks = [
        "main (manage.py:1);settle (delivery/settle.py:10);settle (delivery/settle.py:12) 3",
        "main (manage.py:1);settle (delivery/settle.py:11);dump (json/encoder.py:7) 1",
    ]
    lines = modules("profiles").shares(stacks).splitlines()
    assert lines[0] == "4 samples with the GIL"
    assert "  75.0  settle (delivery/settle.py)" in lines
    assert "  25.0  dump (json/encoder.py)" in lines
    assert lines[-1] == " 100.0  settle (delivery/settle.py)"
