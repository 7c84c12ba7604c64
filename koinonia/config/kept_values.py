"""What ``manage.py up`` wrote into ``DATA_DIR``, so that every other command works beside it."""

from __future__ import annotations

import json
from pathlib import Path

SECRET_KEY = "secret_key"  # noqa: S105 - the name of a file
DEMO_PASSWORD = "demo_password"  # noqa: S105 - the name of a file
REDIS_URL = "redis_url"
PUBLIC_URL = "public_url"
SIMULATOR = "simulator.json"

#: True only while ``up`` runs; it removes them when it stops.
WHILE_RUNNING = (REDIS_URL, PUBLIC_URL, SIMULATOR)


def read(data_dir: Path, name: str) -> str:
    """The kept value; empty where there is none."""
    try:
        return (data_dir / name).read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def write(data_dir: Path, name: str, value: str) -> None:
    """Keep ``value`` for the owner of the data directory alone; whole, or not at all."""
    new = data_dir / f".{name}.new"
    new.unlink(missing_ok=True)
    new.touch(mode=0o600, exist_ok=False)
    new.write_text(f"{value}\n")
    new.replace(data_dir / name)


def simulator(data_dir: Path) -> dict[str, str]:
    """``base``, ``api_key``, ``public_key`` and ``control`` of the simulator beside us, or nothing."""
    try:
        found = json.loads(read(data_dir, SIMULATOR) or "{}")
    except json.JSONDecodeError:
        return {}  # It is being written.
    return {str(name): str(value) for name, value in found.items()}
