"""The files that outlive a restart: the keys, and the address of the control API."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from delivery.providers.simulator.command import KeptFile
from delivery.providers.simulator.command import State as AnyState
from delivery.providers.telnyx.simulator.options import Keys
from delivery.providers.telnyx.simulator.simulator import TelnyxSimulator


class State(AnyState):
    """``simulator.json``, for every user of the simulator, and beside it the private key."""

    file_name: ClassVar[str] = "simulator.json"

    @classmethod
    def in_directory(cls, directory: Path) -> Self:
        directory.mkdir(parents=True, exist_ok=True)
        return cls(directory)

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def _keys(self) -> KeptFile:
        return KeptFile(self.directory / "simulator.key")

    def keys(self) -> Keys:
        """Return the keys of the last run; new ones if there are none, or they cannot be read."""
        kept = self._keys.read()
        try:
            return Keys.from_seed(str(kept["api_key"]), str(kept["seed"]))
        except (ValueError, KeyError):
            return Keys()

    def write(self, simulator: TelnyxSimulator) -> str:
        """Keep both files; return the JSON for clients."""
        keys = simulator.account.keys
        self._keys.write({"api_key": keys.api_key, "seed": keys.seed})
        return self.file.write(
            {
                "base": simulator.base,
                "api_key": simulator.api_key,
                "public_key": simulator.public_key,
                "control": simulator.control,
            }
        )
