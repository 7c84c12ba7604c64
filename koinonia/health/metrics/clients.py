"""Counts the clients that are told events, by the signals of ``realtime``."""

from __future__ import annotations

from koinonia.health.metrics import instruments


def on_clients_changed(*, transport: str, change: int, **_: object) -> None:
    instruments.clients.labels(transport).inc(change)


def on_events_fanned_out(*, events: int, listeners: int, **_: object) -> None:
    instruments.events_fanned_out.inc(events * listeners)
