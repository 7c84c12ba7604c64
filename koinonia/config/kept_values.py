"""Values that ``manage.py up`` writes into ``DATA_DIR`` and that every other command reads."""

from __future__ import annotations

import json
from pathlib import Path

SECRET_KEY = "secret_key"  # noqa: S105 - the name of a file
DEMO_PASSWORD = "demo_password"  # noqa: S105 - the name of a file
REDIS_URL = "redis_url"
PUBLIC_URL = "public_url"
SIMULATOR = "simulator.json"

WHILE_RUNNING = (REDIS_URL, PUBLIC_URL, SIMULATOR)
"""Values that are true only while ``up`` runs: it removes them when it stops."""


def read(data_dir: Path, name: str) -> str:
    """Return the kept value, or an empty string."""
    try:
        return (data_dir / name).read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def write(data_dir: Path, name: str, value: str) -> None:
    """Write ``value`` atomically, readable only by the owner of the data directory."""
    new = data_dir / f".{name}.new"
    new.unlink(missing_ok=True)
    new.touch(mode=0o600, exist_ok=False)
    new.write_text(f"{value}\n")
    new.replace(data_dir / name)


def simulator(data_dir: Path) -> dict[str, str]:
    """Return ``base``, ``api_key``, ``public_key`` and ``control`` of a running simulator, or {}."""
    try:
        found = json.loads(read(data_dir, SIMULATOR) or "{}")
    except json.JSONDecodeError:
        return {}  # The simulator is writing the file at this moment.
    return {str(name): str(value) for name, value in found.items()}
