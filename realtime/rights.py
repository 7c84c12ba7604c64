"""Telling every process that somebody's rights may have changed."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction

from realtime import notices


def changed(user_id: Any) -> None:
    """After commit, every socket of this user is judged again: disabled, demoted, logged out.

    Best effort, for speed: each process also judges everyone every few seconds.
    """
    notice = {"type": "rights.changed", "user": str(user_id)}
    transaction.on_commit(partial(notices.publish, notices.RIGHTS_GROUP, notice))
