from __future__ import annotations

from delivery.models.message import Message


class StopRequest(Message):
    """An inbound message that looks like a request to be texted no more, as the admin lists it."""

    class Meta:
        proxy = True
        verbose_name = "request to stop"
        verbose_name_plural = "requests to stop"
