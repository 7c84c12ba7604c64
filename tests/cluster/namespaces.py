"""A network of hosts on this machine: namespaces on a bridge, which is in a namespace of its own.

Nothing of it is reachable from the machine's own network, and the reverse.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from pathlib import Path

_NETWORK = "10.77.0"
_FROM_PREFIX = "koinonia-"
_CLONE_NEWNET = 0x40000000


class NotPossibleError(Exception):
    """This machine or this user cannot make namespaces; the text says why."""


def check() -> None:
    """Raise NotPossibleError if namespaces cannot be made here."""
    if os.geteuid() != 0:
        raise NotPossibleError("make cluster makes network namespaces: run it as root.")
    for program in ("ip", "tc", "iptables", "nginx", "setpriv"):
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin"):
            raise NotPossibleError(f"make cluster needs the program {program}.")


def remove_leftovers() -> None:
    """Delete the namespaces of runs whose process has ended without cleaning up."""
    for path in Path("/run/netns").glob(f"{_FROM_PREFIX}*"):
        owner = path.name.removeprefix(_FROM_PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            _run("ip", "netns", "del", path.name)


class Network:
    """The bridge and its hosts. ``remove`` deletes them all."""

    def __init__(self) -> None:
        self._prefix = f"{_FROM_PREFIX}{os.getpid()}-"
        self._names: list[str] = []
        self._bridge = self._add("bridge")
        _run("ip", "-n", self._bridge, "link", "add", "br0", "type", "bridge")
        _run("ip", "-n", self._bridge, "link", "set", "br0", "up")

    def add_host(self, name: str, number: int) -> str:
        """Return the address of a new host."""
        namespace = self._add(name)
        port = f"p{number}"
        _run(
            "ip", "-n", self._bridge, "link", "add", port, "type", "veth",
            "peer", "name", "eth0", "netns", namespace,
        )  # fmt: skip
        _run("ip", "-n", self._bridge, "link", "set", port, "master", "br0", "up")
        self.add_address(name, number)
        _run("ip", "-n", namespace, "link", "set", "lo", "up")
        _run("ip", "-n", namespace, "link", "set", "eth0", "up")
        return address(number)

    def add_address(self, name: str, number: int) -> None:
        _run(
            "ip", "-n", self.namespace(name), "addr", "add", f"{address(number)}/24", "dev", "eth0"
        )

    def move_address(self, number: int, old: str, new: str) -> None:
        """Give the address of ``old`` to ``new``, as keepalived does, and forget where it was."""
        _run("ip", "-n", self.namespace(old), "addr", "del", f"{address(number)}/24", "dev", "eth0")
        self.add_address(new, number)
        for namespace in self._names:
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("ip", "-n", namespace, "neigh", "flush", "to", address(number))

    def cut(self, name: str, *others: str) -> None:
        """Drop every packet between the host and the addresses ``others``, without an answer."""
        self._rules(name, "-A", others)

    def restore(self, name: str, *others: str) -> None:
        self._rules(name, "-D", others)

    def slow(self, name: str) -> None:
        """Limit what the host sends to 4 Mbit/s."""
        shaping = ["rate", "4mbit", "burst", "32k", "latency", "400ms"]
        _run(
            "tc", "-n", self.namespace(name), "qdisc", "add", "dev", "eth0", "root", "tbf", *shaping
        )

    def quicken(self, name: str) -> None:
        _run("tc", "-n", self.namespace(name), "qdisc", "del", "dev", "eth0", "root")

    def enter(self, name: str) -> None:
        """Move this thread, and the threads that it starts from now on, to the host's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/run/netns/{self.namespace(name)}").open() as file:
            if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def namespace(self, name: str) -> str:
        return self._prefix + name

    def remove(self) -> None:
        for namespace in reversed(self._names):
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("ip", "netns", "del", namespace)
        self._names.clear()

    def _add(self, name: str) -> str:
        namespace = self.namespace(name)
        _run("ip", "netns", "add", namespace)
        self._names.append(namespace)
        return namespace

    def _rules(self, name: str, action: str, others: tuple[str, ...]) -> None:
        inside = ["ip", "netns", "exec", self.namespace(name), "iptables", "-w", action]
        for other in others:
            _run(*inside, "INPUT", "-s", other, "-j", "DROP")
            _run(*inside, "OUTPUT", "-d", other, "-j", "DROP")


def address(number: int) -> str:
    return f"{_NETWORK}.{number}"


def _run(*command: str) -> None:
    path = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(command, check=True, env=path, stdout=subprocess.DEVNULL)
