from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from delivery.changes import Change
from delivery.signals import messages_changed
from delivery.statuses import MAY_BECOME, Status


def _only_legal(*, changes: Sequence[Change], **_: Any) -> None:
    for change in changes:
        before, after = change.previous, Status(change.message.status)
        assert change.created or after in MAY_BECOME[Status(before)], f"{before} became {after}"


@pytest.fixture(autouse=True)
def no_change_outside_the_table() -> Iterator[None]:
    """Check in every test that no message changes its status outside docs/message-states.md."""
    messages_changed.connect(_only_legal, dispatch_uid="only legal changes")
    yield
    messages_changed.disconnect(dispatch_uid="only legal changes")
