"""The church domain: who texts whom."""

from __future__ import annotations

from koinonia.models.broadcast import Broadcast
from koinonia.models.church import Church
from koinonia.models.conversation import Conversation
from koinonia.models.group import Group
from koinonia.models.idempotent_request import IdempotentRequest
from koinonia.models.invitation import Invitation
from koinonia.models.last_church import LastChurch
from koinonia.models.member import Member
from koinonia.models.sending_number import SendingNumber
from koinonia.models.staff import Role, Staff
from koinonia.models.token_details import TokenDetails
from koinonia.models.user_session import UserSession

__all__ = [
    "Broadcast",
    "Church",
    "Conversation",
    "Group",
    "IdempotentRequest",
    "Invitation",
    "LastChurch",
    "Member",
    "Role",
    "SendingNumber",
    "Staff",
    "TokenDetails",
    "UserSession",
]
