from __future__ import annotations

import subprocess
import time
from pathlib import Path

import redis

from delivery.worker.parent_death import die_with_parent
from koinonia.up.programs import valkey_command


class ValkeyServer:
    """A real Valkey on a unix socket, for one test process (or one chaos test).

    ``options`` are further command-line options, such as ``"--databases", "1"``.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self.options = options
        self.socket = directory / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [*valkey_command(self.directory, self.socket, append_only=False), *self.options],
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        self._wait_until_ready()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def _wait_until_ready(self) -> None:
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 60
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.01)
        client.close()
