"""Refusals of ``manage.py up`` before it starts a process: exit code and message."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command


def refusal(data_dir: Path, *arguments: str) -> CommandError:
    with pytest.raises(CommandError) as refused:
        call_command("up", "--data-dir", str(data_dir), *arguments)
    return refused.value


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = refusal(tmp_path, "--port", str(port))
    assert refused.returncode == 1
    assert str(refused) == (
        f"Port {port} of 127.0.0.1 is in use, or not ours to use; choose another with --port."
    )


def test_without_the_simulator_a_key_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TELNYX_API_KEY", raising=False)
    refused = refusal(tmp_path, "--no-simulator")
    assert (refused.returncode, str(refused)) == (2, "--no-simulator needs TELNYX_API_KEY.")


def test_a_directory_too_deep_for_a_socket_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL")
    refused = refusal(tmp_path / ("deep" * 30))
    assert refused.returncode == 2
    assert "too long for a unix socket" in str(refused)


def test_a_data_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = refusal(tmp_path / "file" / "var")
    assert refused.returncode == 2
    assert "cannot be the data directory" in str(refused)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--port", "0"],
        ["--port", "65536"],
        ["--port", "x"],
        ["--workers", "0"],
        ["--workers", "-1"],
    ],
)
def test_a_wrong_option_is_refused(tmp_path: Path, wrong: list[str]) -> None:
    assert wrong[0] in str(refusal(tmp_path, *wrong))
