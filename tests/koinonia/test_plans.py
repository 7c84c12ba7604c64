"""No named statement reads a whole table of texts, attempts or events."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.running_system import ROOT, database_environment
from tests.support.statements import ADMIN, FIND, NAMED

MESSAGES = 50_000
LARGE = (
    "delivery_message", "delivery_attempt", "delivery_webhookevent", "realtime_event",
    "delivery_tally", "koinonia_webhookdelivery",
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    "KOINONIA_TEST_POSTGRES" not in os.environ, reason="SQLite plans by other rules."
)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the plans of each name, on a filled database with statistics."""
    url = database_environment()["DATABASE_URL"]
    directory = tmp_path_factory.mktemp("plans")
    environment = os.environ | {
        "DATABASE_URL": url, "DATA_DIR": str(directory), "THROTTLING_ENABLED": "0",
    }  # fmt: skip
    run("manage.py", "migrate", "--noinput", "--verbosity", "0", environment=environment)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "bench"))
        importlib.import_module("scale_set").fill(url, MESSAGES, lambda _: None, churches=20)
    found: dict[str, Any] = json.loads(run("bench/scale_statements.py", environment=environment))
    return found


def run(*command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NAMED)
def test_a_named_statement_reads_no_large_table_from_end_to_end(
    name: str, plans: dict[str, Any]
) -> None:
    text = plans[name]["plans"]
    assert text, "Nothing was asked."
    for table in LARGE:
        assert f"Seq Scan on {table}" not in text


@pytest.mark.parametrize(
    "name", [*(name for name in ADMIN if "dead letters" in name), "desk: the first page"]
)
def test_a_list_of_dead_letters_follows_one_index(name: str, plans: dict[str, Any]) -> None:
    text = plans[name]["plans"]
    assert "BitmapAnd" not in text


def test_dead_letters_of_a_code_are_chosen_inside_the_index(plans: dict[str, Any]) -> None:
    counts = plans["admin: dead letters by code"]["plans"].partition("SELECT COUNT(*)")[2]
    condition = counts.partition("Index Cond: ")[2].partition("\n")[0]
    assert "error_code" in condition


@pytest.mark.parametrize("name", [*FIND, "alerts"])
def test_no_search_of_support_and_no_alert_walks_along_a_primary_key(
    name: str, plans: dict[str, Any]
) -> None:
    """A rare number or id would be looked for through all rows."""
    text = plans[name]["plans"]
    # The rule of silent webhooks reads a bounded number of the newest events.
    bounded = {"delivery_webhookevent"} if name == "alerts" else set()
    for table in {"delivery_message", "delivery_webhookevent"} - bounded:
        assert f"Index Scan Backward using {table}_pkey" not in text


def test_a_search_by_number_follows_the_index_of_numbers(plans: dict[str, Any]) -> None:
    text = plans["find: a number"]["plans"]
    assert "message_once_per_number" in text
    assert "conversation_once_per_phone" in text
    assert "Seq Scan on koinonia_conversation" not in text


def test_the_lag_of_webhooks_reads_an_event_of_each_and_the_deliveries_that_wait(
    plans: dict[str, Any],
) -> None:
    text = plans["metrics: the lag of outgoing webhooks"]["plans"]
    _, behind, repeats = text.split("\n\n")[:3]
    assert "using event_seq_once_per_stream" in behind
    assert "koinonia_webhookdelivery" in repeats
    assert "using webhook_delivery_waiting" in repeats


def test_a_scrape_reads_few_rows_of_an_old_installation(plans: dict[str, Any]) -> None:
    # The set has tallies of 400 days, and no night has added them up.
    text = plans["metrics"]["plans"]
    tallies = [plan for plan in text.split("\n\n") if 'FROM "delivery_tally"' in plan]
    assert len(tallies) == 2
    for plan in tallies:
        assert "Index Cond: (quarter" in plan
