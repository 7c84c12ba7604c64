"""Models of the church domain: churches, staff, members, groups, conversations, broadcasts."""

from __future__ import annotations

from koinonia.models.audit_entry import AuditEntry
from koinonia.models.broadcast import Broadcast
from koinonia.models.church import Church, Language, SendingNumber
from koinonia.models.conversation import Conversation
from koinonia.models.group import Group
from koinonia.models.idempotent_request import IdempotentRequest
from koinonia.models.keyword import Keyword
from koinonia.models.login import TokenDetails, UserSession
from koinonia.models.member import Member
from koinonia.models.person_request import PersonRequest
from koinonia.models.staff import Invitation, LastChurch, Role, Staff

__all__ = [
    "AuditEntry",
    "Broadcast",
    "Church",
    "Conversation",
    "Group",
    "IdempotentRequest",
    "Invitation",
    "Keyword",
    "Language",
    "LastChurch",
    "Member",
    "PersonRequest",
    "Role",
    "SendingNumber",
    "Staff",
    "TokenDetails",
    "UserSession",
]
