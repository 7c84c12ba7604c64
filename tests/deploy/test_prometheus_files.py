"""The files for Prometheus and Grafana: valid, and about metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database

FOLDER = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "koinonia.json"
WATCHING = ROOT / "docs" / "operations" / "watching.md"
METRICS = ROOT / "docs" / "operations" / "metrics.md"
promtool = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(promtool is None, reason="promtool is not installed")


def _promtool(*arguments: str) -> None:
    done = subprocess.run(
        [str(promtool), *arguments], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        # Only the container has the rules in the same folder.
        ("check", "config", "--syntax-only", "../compose/prometheus.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_accepts_the_files(arguments: tuple[str, ...]) -> None:
    _promtool(*arguments)


def test_every_alert_has_its_section_in_the_handbook() -> None:
    alerts = re.findall(r"- alert: (\w+)", (FOLDER / "rules.yml").read_text())
    pages = re.findall(r"page: (\S+)", (FOLDER / "rules.yml").read_text())
    assert pages == [f"docs/operations/watching.md#{alert.lower()}" for alert in alerts]
    assert re.findall(r"^### (\w+)$", WATCHING.read_text(), re.MULTILINE) == alerts


def test_every_panel_has_a_place_and_a_query() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert [variable["type"] for variable in dashboard["templating"]["list"]] == ["datasource"]
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or all(target["expr"] for target in panel["targets"])
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${prometheus}"


def _named(path: Path) -> set[str]:
    return set(re.findall(r"\b(?:koinonia|throttling)_[a-z_]+\b", path.read_text()))


@pytest.mark.parametrize("path", [FOLDER / "rules.yml", DASHBOARD], ids=lambda path: path.name)
def test_every_metric_of_the_files_is_described(path: Path) -> None:
    described = _named(METRICS) | {
        f"koinonia_database_pool{rest}"
        for rest in ("_waits_total", "_wait_seconds_total", "_errors_total")
    }
    histograms = {f"{name}_bucket" for name in described}
    assert sorted(_named(path) - described - histograms) == []
