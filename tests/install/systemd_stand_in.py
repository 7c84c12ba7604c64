"""Stands in for ``systemctl`` and ``systemd-run`` where systemd does not run.

It runs the ExecStart line of a unit with its User, Environment, credentials, umask, state directory and
restarts, and says so. It has no sandbox: ProtectSystem, CapabilityBoundingSet, SystemCallFilter and their
like are not tried. Units of Debian are started by their init scripts.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

UNITS = Path("/etc/systemd/system")
RUNNING = Path("/run/units")
LOGS = Path("/var/log/units")

Properties = dict[str, list[str]]


def say(text: str) -> None:
    sys.stdout.write(f"[no systemd here] {text}\n")
    sys.stdout.flush()


def properties(unit: str) -> Properties:
    """Return the lines of a unit with its instance in place of ``%i``."""
    name, _, instance = unit.partition("@")
    text = (UNITS / f"{name}@.service" if instance else UNITS / f"{name}.service").read_text()
    found: Properties = defaultdict(list)
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[key].append(value.replace("%i", instance))
    return found


class Command:
    """A command with the user, the environment and the credentials of a unit."""

    def __init__(self, unit: str, given: Properties, command: list[str]) -> None:
        self.command = command
        self.user = pwd.getpwnam(given["User"][-1])
        self.folder = given["WorkingDirectory"][-1]
        self.mask = int(given["UMask"][-1], 8) if given["UMask"] else -1
        credentials = self._credentials(unit, given["LoadCredential"])
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
            "LANG": "C.UTF-8",
            "HOME": self.user.pw_dir,
            "USER": self.user.pw_name,
            "CREDENTIALS_DIRECTORY": str(credentials),
        }
        words = [word for line in given["Environment"] for word in shlex.split(line)]
        self._set(word.replace("%d", str(credentials)) for word in words)
        for file in given["EnvironmentFile"]:
            lines = (line.strip() for line in Path(file).read_text().splitlines())
            self._set(line for line in lines if line and not line.startswith("#"))
        for name in given["StateDirectory"]:
            directory = Path("/var/lib") / name
            directory.mkdir(exist_ok=True)
            directory.chmod(int(given["StateDirectoryMode"][-1], 8))
            shutil.chown(directory, self.user.pw_uid, self.user.pw_gid)

    def _set(self, assignments: object) -> None:
        for assignment in assignments:  # type: ignore[attr-defined]
            name, _, value = assignment.partition("=")
            self.environment[name] = value

    def _credentials(self, unit: str, wanted: list[str]) -> Path:
        directory = Path("/run/credentials") / unit
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for one in wanted:
            name, _, source = one.partition(":")
            (directory / name).write_bytes(Path(source).read_bytes())
            (directory / name).chmod(0o400)
            shutil.chown(directory / name, self.user.pw_uid, self.user.pw_gid)
        directory.chmod(0o500)
        shutil.chown(directory, self.user.pw_uid, self.user.pw_gid)
        return directory

    def start(self, **streams: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            self.command,
            cwd=self.folder,
            env=self.environment,
            user=self.user.pw_uid,
            group=self.user.pw_gid,
            extra_groups=[],
            umask=self.mask,
            **streams,
        )


def unit_command(unit: str) -> Command:
    given = properties(unit)
    return Command(unit, given, shlex.split(given["ExecStart"][-1]))


def keep(unit: str) -> None:
    """Run a unit and restart it until TERM comes, as Restart=always does."""
    stopping = False
    process: subprocess.Popen[bytes] | None = None

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        if process is not None:
            process.terminate()

    signal.signal(signal.SIGTERM, stop)
    while not stopping:
        process = unit_command(unit).start()
        status = process.wait()
        sys.stderr.write(f"{unit} ended with {status}\n")
        if not stopping:
            time.sleep(1)


def start(unit: str) -> int:
    given = properties(unit)
    for needed in (name for line in given["Wants"] for name in line.split()):
        if needed.startswith("koinonia-"):
            start(needed.removesuffix(".service"))
    user, command = given["User"][-1], given["ExecStart"][-1]
    say(f"{unit}: as {user}, with its environment and credentials: {command}")
    LOGS.mkdir(exist_ok=True)
    RUNNING.mkdir(exist_ok=True)
    log = LOGS / f"{unit}.log"
    with log.open("ab") as output:
        streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        if given["Type"] == ["oneshot"]:
            status = unit_command(unit).start(**streams).wait()
            if status:
                sys.stderr.write(f"{unit} failed with {status}:\n{log.read_text()[-4000:]}\n")
            return status
        keeper = subprocess.Popen(
            [sys.executable, __file__, "--keep", unit], start_new_session=True, **streams
        )  # type: ignore[call-overload]
    (RUNNING / unit).write_text(str(keeper.pid))
    return 0


def stop(unit: str) -> int:
    running = RUNNING / unit
    if not running.exists():
        return 0
    keeper = int(running.read_text())
    os.kill(keeper, signal.SIGTERM)
    limit = time.monotonic() + float(properties(unit)["TimeoutStopSec"][-1])
    while Path(f"/proc/{keeper}").exists() and time.monotonic() < limit:
        time.sleep(0.1)
    running.unlink()
    if Path(f"/proc/{keeper}").exists():
        sys.stderr.write(f"{unit} did not stop in time.\n")
        return 1
    return 0


def systemctl(words: list[str]) -> int:
    verb, *units = [word for word in words if not word.startswith("-")]
    if verb == "daemon-reload" or (verb == "enable" and "--now" not in words):
        return 0
    status = 0
    for unit in (unit.removesuffix(".service") for unit in units):
        if not unit.startswith("koinonia-"):
            say(f"{unit}: its init script")
            status |= subprocess.run(["service", unit, verb], check=False).returncode
            continue
        if verb in {"stop", "restart", "disable"}:
            status |= stop(unit)
        if verb in {"start", "restart", "enable"} and not (RUNNING / unit).exists():
            status |= start(unit)
    return status


def systemd_run(words: list[str]) -> int:
    given: Properties = defaultdict(list)
    while words and words[0].startswith("--"):
        option, _, value = words.pop(0).removeprefix("--").partition("=")
        if option == "property":
            option, _, value = value.partition("=")
        given[{"uid": "User", "working-directory": "WorkingDirectory"}.get(option, option)].append(
            value
        )
    return Command(f"run-{os.getpid()}", given, words).start().wait()


def main() -> int:
    if sys.argv[1:2] == ["--keep"]:
        keep(sys.argv[2])
        return 0
    run = systemd_run if Path(sys.argv[0]).name == "systemd-run" else systemctl
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
