"""Models of the church domain: churches, staff, members, groups, conversations, broadcasts."""

from __future__ import annotations

from koinonia.models.alert import Alert, AlertClock, AlertNotice
from koinonia.models.attachment import Attachment
from koinonia.models.audit_entry import AuditEntry
from koinonia.models.broadcast import Broadcast
from koinonia.models.church import (
    Church,
    Language,
    SendingNumber,
)
from koinonia.models.conversation import (
    Conversation,
    InboxState,
)
from koinonia.models.distinct_members import (
    DistinctMembers,
)
from koinonia.models.group import Group
from koinonia.models.idempotent_request import IdempotentRequest
from koinonia.models.keyword import Keyword
from koinonia.models.login import KeyScope, TokenDetails, UserSession
from koinonia.models.member import Member
from koinonia.models.member_file import (
    MemberFile,
)
from koinonia.models.note import (
    Note,
)
from koinonia.models.person_request import PersonRequest
from koinonia.models.series import Series
from koinonia.models.staff import Invitation, LastChurch, Role, Staff
from koinonia.models.text_template import TextTemplate
from koinonia.models.webhook import WebhookCursor, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Alert",
    "AlertClock",
    "AlertNotice",
    "Attachment",
    "AuditEntry",
    "Broadcast",
    "Church",
    "Conversation",
    "DistinctMembers",
    "Group",
    "IdempotentRequest",
    "InboxState",
    "Invitation",
    "KeyScope",
    "Keyword",
    "Language",
    "LastChurch",
    "Member",
    "MemberFile",
    "Note",
    "PersonRequest",
    "Role",
    "SendingNumber",
    "Series",
    "Staff",
    "TextTemplate",
    "TokenDetails",
    "UserSession",
    "WebhookCursor",
    "WebhookDelivery",
    "WebhookEndpoint",
]
