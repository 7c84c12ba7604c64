"""The project's settings with a quick watchdog."""

from __future__ import annotations

from koinonia.settings import *  # noqa: F403  # all of it, but for one value
from koinonia.settings import DELIVERY

DELIVERY["WATCHDOG_AFTER"] = 3
