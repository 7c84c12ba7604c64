"""From where a client follows what it has just read (``HTTPOPT["POSITION"]``)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.views import APIView

from koinonia.models import Staff
from realtime import log


def stream_position(request: Request, view: APIView) -> str | None:
    """``church:<slug>;<epoch>;<seq>`` below a church, read before the data: snapshot plus the
    events after it is the present."""
    place: Staff | None = getattr(view, "place", None)
    if place is None:
        return None
    key = f"church:{place.church.slug}"
    position = log.position(key)
    return f"{key};{position.epoch};{position.seq}"
