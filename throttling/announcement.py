"""Tells every process that the allowlist changed: its next decision carries another version."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from django.db import transaction

from throttling import stores
from throttling.buckets import BucketsUnavailableError

logger = logging.getLogger(__name__)


def announce() -> None:
    """Never raises: a process that cannot be told reads the rows again when its copy is old."""
    try:
        # A random version, for a counter starts again when Redis is flushed.
        stores.shared().announce(secrets.token_hex(8))
    except BucketsUnavailableError as error:
        logger.warning(
            "The change of the allowlist could not be announced: %s",
            error,
            extra={"action": "allowlist_not_announced"},
        )


def announce_after_commit(**_kwargs: Any) -> None:
    """A receiver of post_save and post_delete."""
    transaction.on_commit(announce)
