"""A folder holds a bare Debian 12. It has its own mounts, processes and network."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.support.running_system import ROOT

_NEEDED = ("debootstrap", "unshare", "nsenter", "git")
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_COPY_OF_AUTHORITIES = Path("/root/authorities-of-this-machine.crt")
# The first process: it reaps orphans. All mounts and processes end with it.
_FIRST_PROCESS = """\
set -e
mount --rbind /dev {root}/dev
mount -t tmpfs shm {root}/dev/shm
mount -t tmpfs run {root}/run
mkdir {root}/run/lock
mount -t proc proc {root}/proc
{binds}
ip link set lo up
echo ready
while :; do sleep 1 & wait; done
"""


class NotPossibleError(Exception):
    """The check cannot run on this machine; the message is a sentence."""


def check() -> None:
    """Raise NotPossibleError if a program or a right is missing."""
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        raise NotPossibleError(f"Not on this machine: {', '.join(missing)} (apt-get install them).")
    if os.geteuid() != 0:
        raise NotPossibleError("Making a Debian and namespaces needs root.")


class Tree:
    """``with Tree() as tree``: at the end nothing of it is left."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="koinonia-install-")
        self.root = Path(self._folder.name) / "debian"
        self._first: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._first is not None:
            # unshare ignores TERM; the first process dies with it, and with that all others.
            self._first.kill()
            self._first.wait()
        self._folder.cleanup()

    def make(self, base: Path | None) -> None:
        """Unpack Debian 12 with what its installer always installs, or copy a folder that holds it."""
        command = ["debootstrap", "bookworm", str(self.root), *_mirror()]
        if base is not None:
            command = ["cp", "--archive", f"{base}/", str(self.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotPossibleError(
                f"{command[0]} failed: {done.stdout[-1000:]}{done.stderr[-1000:]}"
            )
        # Debian asks this file before it starts a service: a port of this machine may be in use.
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        stand_in = self.root / "usr/local/sbin/systemctl"
        shutil.copy(Path(__file__).with_name("systemd_stand_in.py"), stand_in)
        stand_in.write_text(f"#!/usr/bin/python3\n{stand_in.read_text()}")
        stand_in.chmod(0o755)
        (stand_in.parent / "systemd-run").symlink_to("systemctl")
        self._use_the_mirrors_of_this_machine()

    def _use_the_mirrors_of_this_machine(self) -> None:
        sources = self.root / "etc/apt/sources.list.d"
        if Path("/etc/apt/sources.list").exists():
            shutil.copy("/etc/apt/sources.list", self.root / "etc/apt/sources.list")
        elif list(Path("/etc/apt/sources.list.d").glob("*.sources")):
            (self.root / "etc/apt/sources.list").unlink(missing_ok=True)
        for file in (
            *Path("/etc/apt/sources.list.d").glob("*.sources"),
            *Path("/etc/apt/sources.list.d").glob("*.list"),
        ):
            shutil.copy(file, sources)
        for file in Path("/etc/apt/apt.conf.d").iterdir():
            if "Acquire::" in file.read_text():
                shutil.copy(file, self.root / "etc/apt/apt.conf.d")
        for name in (
            "etc/resolv.conf",
            "etc/pip.conf",
            "etc/xdg/pip",
            "root/.config/pip",
            "root/.pip",
        ):
            source, copy = Path("/", name), self.root / name
            if source.is_dir():
                shutil.copytree(source, copy, dirs_exist_ok=True)
            elif source.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.unlink(missing_ok=True)
                shutil.copy(source, copy)
        if _AUTHORITIES.exists():
            shutil.copy(_AUTHORITIES, self.root / _COPY_OF_AUTHORITIES.relative_to("/"))

    def put_the_release(self, folder: str) -> str:
        """Copy the last commit into the tree, and return its name."""
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        packed = self.root.with_name("release.tar")
        subprocess.run(["git", "archive", f"--output={packed}", "HEAD"], cwd=ROOT, check=True)
        unpack = ["tar", "--extract", f"--file={packed}", f"--directory={self.root / folder}"]
        subprocess.run(unpack, check=True)
        told = subprocess.run(
            ["git", "describe", "--always", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        )  # fmt: skip
        return told.stdout.strip()

    def start(self) -> None:
        """Make the namespaces, with loopback up."""
        binds = ""
        for path in _folders_of_packages():
            (self.root / path.relative_to("/")).mkdir(parents=True, exist_ok=True)
            binds += f"mount --bind {path} {self.root}{path}\n"
        script = _FIRST_PROCESS.format(root=self.root, binds=binds)
        self._first = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child",
             "--propagation=private", "bash", "-c", script],
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert self._first.stdout is not None
        if self._first.stdout.readline() != "ready\n":
            raise NotPossibleError("The namespaces could not be made.")

    def run(
        self, commands: str, *, answers: str = "", network: bool = False, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run commands in the tree as root; with ``network`` they use the network of this machine."""
        assert self._first is not None
        inside = (
            Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children").read_text().split()[0]
        )
        spaces = ["--mount", "--pid", "--uts", "--ipc", *([] if network else ["--net"])]
        return subprocess.run(
            ["nsenter", f"--target={inside}", *spaces, "chroot", str(self.root), "/bin/bash", "-c", commands],
            input=answers, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=timeout, env=_environment(),
        )  # fmt: skip


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    if _AUTHORITIES.exists():
        # Between here and the mirrors may be a proxy that Debian does not know.
        kept["PIP_CERT"] = str(_COPY_OF_AUTHORITIES)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        **kept,
        "HOME": "/root",
        "PATH": path,
        "LANG": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
    }


def _mirror() -> list[str]:
    """Return the first archive of this machine's sources, or nothing for the default."""
    for file in sorted(Path("/etc/apt").glob("sources.list*/*.sources")):
        found = re.search(r"^URIs: *(\S+/debian)/?$", file.read_text(), re.MULTILINE)
        if found:
            return [found[1]]
    listed = Path("/etc/apt/sources.list")
    found = (
        re.search(r"^deb (?:\[.*\] )?(\S+/debian)/? ", listed.read_text(), re.MULTILINE)
        if listed.exists()
        else None
    )
    return [found[1]] if found else []


def _folders_of_packages() -> Iterator[Path]:
    """Yield the folders of this machine from which its pip installs."""
    words = [
        word
        for name, value in os.environ.items()
        if name.startswith("PIP_")
        for word in value.split()
    ]
    for file in (
        Path("/etc/pip.conf"),
        Path("/etc/xdg/pip/pip.conf"),
        Path.home() / ".config/pip/pip.conf",
    ):
        read = configparser.RawConfigParser()
        read.read(file)
        words += [
            word
            for part in read.sections()
            for _, value in read.items(part)
            for word in value.split()
        ]
    for folder in sorted(
        {Path(word.removeprefix("file://")) for word in words if word.startswith(("/", "file:///"))}
    ):
        if folder.is_dir():
            # Pages of an index lead to the files beside it.
            yield folder.parent if folder.name == "simple" else folder
