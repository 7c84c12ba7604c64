"""State that outlives a restart: the keys, and the port of the control API."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from delivery.providers.telnyx.simulator.keys import Keys
from delivery.providers.telnyx.simulator.simulator import TelnyxSimulator


@dataclass(frozen=True)
class State:
    """``simulator.json``, for all users of the simulator, and beside it the private key."""

    directory: Path

    @classmethod
    def in_directory(cls, directory: Path) -> State:
        directory.mkdir(parents=True, exist_ok=True)
        return cls(directory)

    @property
    def path(self) -> Path:
        return self.directory / "simulator.json"

    @property
    def _keys_path(self) -> Path:
        return self.directory / "simulator.key"

    def keys(self) -> Keys:
        """Return the keys of the last run; new keys if they are missing or unreadable."""
        try:
            kept = _object_in(self._keys_path)
            return Keys.from_seed(str(kept["api_key"]), str(kept["seed"]))
        except (OSError, ValueError, KeyError):
            return Keys()

    def control_port(self) -> int:
        """Return the last control port, or 0 for any port."""
        try:
            return urlsplit(str(_object_in(self.path)["control"])).port or 0
        except (OSError, ValueError, KeyError):
            return 0

    def write(self, simulator: TelnyxSimulator) -> str:
        """Write both files atomically, readable by their owner alone. Return the JSON."""
        public = {
            "base": simulator.base,
            "api_key": simulator.api_key,
            "public_key": simulator.public_key,
            "control": simulator.control,
        }
        text = json.dumps(public, indent=2)
        keys = simulator.account.keys
        _replace(self._keys_path, json.dumps({"api_key": keys.api_key, "seed": keys.seed}))
        _replace(self.path, text + "\n")
        return text


def _object_in(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no object.")
    return found


def _replace(path: Path, text: str) -> None:
    """Write atomically: a reader sees the old file or the new one, never a part."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)
