"""Deletion of old rows in small transactions, with pauses between them, and archives of deleted rows."""

from __future__ import annotations

from delivery.retention.archives import Archives
from delivery.retention.old_rows import prune
from delivery.retention.pace import Pace, StoppedError

__all__ = ["Archives", "Pace", "StoppedError", "prune"]
