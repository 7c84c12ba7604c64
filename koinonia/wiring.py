"""Where the apps meet, and the only place."""

from __future__ import annotations


def connect() -> None:
    """Connect the apps' signals; called once, when all apps are ready."""
