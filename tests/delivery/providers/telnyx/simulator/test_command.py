from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import telnyx as sdk
from django.core.management.base import CommandError

from delivery.providers.telnyx.simulator.command import Command
from delivery.providers.telnyx.simulator.numbers import RECIPIENTS, RECOVERING
from tests.delivery.providers.telnyx.simulator.api_client import CHURCH, MEMBER

ROOT = Path(__file__).resolve().parents[5]
COMMAND = [sys.executable, str(ROOT / "manage.py"), "telnyx_simulator"]
STOP_SECONDS = 30


@contextmanager
def running(data_dir: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--data-dir", str(data_dir), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def printed(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the JSON that it prints when it is ready."""
    assert process.stdout is not None
    lines = []
    while (line := process.stdout.readline()) and line != "}\n":
        lines.append(line)
    found: dict[str, Any] = json.loads("".join([*lines, line]))
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_tells_where_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, "--api-key", "KEYgiven") as process:
        found = printed(process)
        assert found == json.loads((tmp_path / "simulator.json").read_text())
        assert found.keys() == {"base", "api_key", "public_key", "control"}
        assert found["api_key"] == "KEYgiven"
        with sdk.Telnyx(api_key="KEYgiven", base_url=found["base"], max_retries=0) as client:
            client.messages.send(to=MEMBER, from_=CHURCH, text="Hello")
        process.send_signal(number)
        assert process.wait(STOP_SECONDS) == 0


def test_a_restart_keeps_keys_and_control(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        first = printed(process)
        process.kill()
        process.wait()
    with running(tmp_path) as process:
        second = printed(process)
    same = ("api_key", "public_key", "control")
    assert [first[name] for name in same] == [second[name] for name in same]


def test_the_keys_outlive_a_clean_stop_that_takes_the_address_away(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        first = printed(process)
    (tmp_path / "simulator.json").unlink()
    with running(tmp_path) as process:
        assert printed(process)["public_key"] == first["public_key"]


def test_by_default_the_profile_tells_this_project() -> None:
    parser = Command().create_parser("manage.py", "telnyx_simulator")
    assert parser.parse_args([]).webhook_url == "http://testserver/webhooks/telnyx/"


def test_the_private_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        printed(process)
    assert {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {
        "simulator.json": 0,
        "simulator.key": 0,
    }


def test_broken_state_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "simulator.json").write_text("{")
    (tmp_path / "simulator.key").write_text("nonsense")
    with running(tmp_path) as process:
        assert printed(process) == json.loads((tmp_path / "simulator.json").read_text())


def test_its_options_reach_the_simulator(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/hook"
    with running(tmp_path, "--webhook-url", url, "--rate", "5", "--latency-ms", "7") as process:
        options = requests.get(printed(process)["control"], timeout=30).json()["options"]
    assert (options["webhook_url"], options["rate"], options["latency_ms"]) == (url, 5, 7)


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        port = printed(process)["base"].split(":")[2].removesuffix("/v2")
        second = refused("--port", port, "--data-dir", str(tmp_path / "other"))
    assert f"Cannot listen on 127.0.0.1:{port}" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    "arguments", [("--port", "99999"), ("--rate", "0"), ("--rate", "nan"), ("--latency-ms", "-1")]
)
def test_bad_options_are_refused(arguments: tuple[str, str]) -> None:
    parser = Command().create_parser("manage.py", "telnyx_simulator")
    with pytest.raises(CommandError, match=arguments[0]):
        parser.parse_args(arguments)


def test_help_lists_every_number() -> None:
    help_text = Command().create_parser("manage.py", "telnyx_simulator").format_help()
    assert [number for number in (*RECIPIENTS, *RECOVERING) if number not in help_text] == []
    assert "Example" in help_text


def test_it_needs_no_django(tmp_path: Path) -> None:
    code = (
        "import sys; from delivery.providers.telnyx.simulator import TelnyxSimulator\n"
        "with TelnyxSimulator() as telnyx: assert telnyx.base\n"
        "assert 'django' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)


def refused(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, cwd=ROOT, check=False, timeout=30
    )
