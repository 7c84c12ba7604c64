"""The former name of :mod:`realtime.authorization`, for host projects that import it."""

from __future__ import annotations

from realtime.authorization import may_listen

__all__ = ["may_listen"]
