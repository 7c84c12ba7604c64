"""Whether a church's log has told all that there is to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Get = Callable[[str], dict[str, Any]]
"""The JSON of a path below ``/api/v1/churches/<slug>/``."""


def logged(get: Get) -> list[dict[str, Any]]:
    """The whole log, by way of its HTTP form."""
    found: list[dict[str, Any]] = []
    while page := get(f"events/?after={len(found)}&limit=1000")["events"]:
        found.extend(page)
    return found


def has_told_of_broadcasts(get: Get) -> bool:
    """What a broadcast has come to may be told a moment after its last text was."""
    created, told = set(), {}
    for event in logged(get):
        if event["type"] == "broadcast.created":
            created.add(event["data"]["id"])
        elif event["type"] == "broadcast.progress":
            told[event["data"]["broadcast"]] = event["data"]["counts"]
    shown = [get(f"broadcasts/{broadcast}/") for broadcast in created]
    return all(one["status"] == "done" and told.get(one["id"]) == one["counts"] for one in shown)
