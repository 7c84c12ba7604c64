"""Checks that a church's event log is complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Get = Callable[[str], dict[str, Any]]
"""Returns the JSON of a path below ``/api/v1/churches/<slug>/``."""


def logged(get: Get) -> list[dict[str, Any]]:
    """Return all events of the log from the polling API."""
    found: list[dict[str, Any]] = []
    while page := get(f"events/?after={len(found)}&limit=1000")["events"]:
        found.extend(page)
    return found


def has_told_of_broadcasts(get: Get) -> bool:
    """Return True if the log has the final counts of all broadcasts, which can follow the last message."""
    created, told = set(), {}
    for event in logged(get):
        if event["type"] == "broadcast.created":
            created.add(event["data"]["id"])
        elif event["type"] == "broadcast.progress":
            told[event["data"]["broadcast"]] = event["data"]["counts"]
    shown = [get(f"broadcasts/{broadcast}/") for broadcast in created]
    return all(one["status"] == "done" and told.get(one["id"]) == one["counts"] for one in shown)
