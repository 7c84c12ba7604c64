"""Which tables count as changes of which collection of a church (``HTTPOPT["TRACKED"]``).

A view names the collections of all that its answer shows. A table that an answer shows and that
stands nowhere here gives stale 304s: ``tests/httpopt`` writes through every door to each.
"""

from __future__ import annotations

from django.contrib.auth.models import User

from delivery.models import Attempt, Message, OptOut
from httpopt.versions.tracked import Tracked
from koinonia.models import Broadcast, Church, Conversation, Group, Member, Staff

TRACKED = [
    Tracked(Church, "church", tenant="id", item_version="version"),
    Tracked(Staff, "staff", tenant="church", item_version="version"),
    Tracked(Group, "groups", tenant="church", item_version="version"),
    Tracked(Member, "members", tenant="church", item_version="version"),
    # The groups of a member are a part of it that can be edited.
    Tracked(Member.groups.through, "members", tenant="member__church", touches="member"),
    Tracked(OptOut, "members", tenant="tenant"),
    Tracked(Broadcast, "broadcasts", tenant="church"),
    Tracked(Conversation, "conversations", tenant="church"),
    Tracked(Message, "messages", tenant="tenant"),
    Tracked(Attempt, "attempts", tenant="message__tenant"),
    # Authors are named in every church they ever wrote for; a login changes none of this.
    Tracked(User, "people", tenant=None, only=("username", "first_name", "last_name")),
]
