"""Declarations for ``httpopt``: the tables behind each collection, and the stream position.

A view names the collections of all data in its answer. A table that an answer shows and that
``TRACKED`` lacks causes stale 304s: ``tests/httpopt`` writes to each table in every possible way.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from rest_framework.request import Request
from rest_framework.views import APIView

from delivery.models import Attempt, Message, OptOut, SpendLimit
from httpopt.versions.tracked import Tracked
from koinonia.models import (
    Attachment,
    Broadcast,
    Church,
    Conversation,
    Group,
    Keyword,
    Member,
    Note,
    Series,
    Staff,
    TextTemplate,
    WebhookCursor,
    WebhookEndpoint,
)
from realtime import log

TRACKED = [
    Tracked(Church, "church", tenant="id", item_version="version"),
    Tracked(Staff, "staff", tenant="church", item_version="version"),
    Tracked(Group, "groups", tenant="church", item_version="version"),
    Tracked(Keyword, "keywords", tenant="church", item_version="version"),
    # The settings of a church show its caps. The remaining columns belong to workers.
    Tracked(SpendLimit, "caps", tenant="tenant", only=("cap", "own_cap"), inserts=True),
    Tracked(Member, "members", tenant="church", item_version="version"),
    # The API edits the groups of a member as a part of the member.
    Tracked(Member.groups.through, "members", tenant="member__church", touches="member"),
    Tracked(OptOut, "members", tenant="tenant"),
    Tracked(Broadcast, "broadcasts", tenant="church"),
    Tracked(TextTemplate, "templates", tenant="church", item_version="version"),
    Tracked(Attachment, "media", tenant="church"),
    Tracked(WebhookEndpoint, "webhooks", tenant="church", item_version="version"),
    # Each turn of a worker writes the other columns.
    Tracked(WebhookCursor, "webhooks", tenant="endpoint__church", only=("failing_since",)),
    Tracked(Series, "series", tenant="church", item_version="version"),
    Tracked(Conversation, "conversations", tenant="church"),
    Tracked(Note, "notes", tenant="church"),
    Tracked(Message, "messages", tenant="tenant"),
    Tracked(Attempt, "attempts", tenant="message__tenant"),
    # Answers of every church name authors. A login does not change these columns.
    Tracked(User, "people", tenant=None, only=("username", "first_name", "last_name")),
]


def stream_position(request: Request, view: APIView) -> str | None:
    """Return ``church:<slug>;<epoch>;<seq>`` for views below a church (``HTTPOPT["POSITION"]``).

    The position is read before the data, so that a client can apply all later events to its
    snapshot without a gap.
    """
    membership: Staff | None = getattr(view, "membership", None)
    if membership is None:
        return None
    key = f"church:{membership.church.slug}"
    position = log.position(key)
    return f"{key};{position.epoch};{position.seq}"
