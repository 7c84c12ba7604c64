"""A process on a host of the network: start, stop, kill, freeze."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.namespaces import Network
from tests.load.processes import descendants

_STOP_SECONDS = 20


@dataclass
class Part:
    """A program on a host. It ends with this process, whatever happens."""

    name: str
    """Also the name of its host, unless ``host`` names another."""
    network: Network
    address: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """Empty: the user of this process."""
    host: str = ""
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert not self.is_running, f"{self.name} runs already."
        become = [f"--reuid={self.user}", "--regid=nogroup", "--clear-groups"] if self.user else []
        namespace = self.network.namespace(self.host or self.name)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "ip", "netns", "exec", namespace,
                    "setpriv", *become, "--pdeathsig", "KILL", *self.command,
                ],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parent.parent.parent,
                # Ctrl-C goes to this process alone, which ends the parts in order.
                start_new_session=True,
            )  # fmt: skip

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask the program to end, and kill what is left after 20 s."""
        if self._process is None:
            return
        family = self._family()
        self._process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self._send(signal.SIGKILL, family)
        self._process.wait()

    def kill(self) -> None:
        """Kill the program and its descendants without a warning, as a power cut does."""
        if self._process is not None:
            self._send(signal.SIGKILL, self._family())
            self._process.wait()

    def freeze(self) -> None:
        self._send(signal.SIGSTOP, self._family())

    def thaw(self) -> None:
        self._send(signal.SIGCONT, self._family())

    def _family(self) -> list[int]:
        if self._process is None or self._process.poll() is not None:
            return []
        return descendants(self._process.pid)

    def _send(self, number: signal.Signals, processes: Sequence[int]) -> None:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
