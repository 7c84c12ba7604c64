"""Items of every kind in the demo church, for the walk over all operations."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from delivery.models import Attempt, Direction, Message
from delivery.statuses import Status
from koinonia import ids
from koinonia.accounts import invitations
from koinonia.conversations import conversation_with
from koinonia.models import (
    Attachment,
    Broadcast,
    Church,
    Group,
    Invitation,
    Keyword,
    Member,
    Note,
    Staff,
    TextTemplate,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.examples.walk import TIRED
from tests.support.webhooks import webhook
from throttling import limits, policies

_OTHER_NUMBERS = {"member": "+12025550171", "spare_member": "+12025550172", "merged_member": "+12025550173"}  # fmt: skip


def seed() -> None:
    """Make the items, and print their ids by kind as JSON."""
    _add_tired_owner()
    made = _make(Church.objects.get(slug="grace"), User.objects.get(username="grace-owner"))
    print(json.dumps({kind: ids.encode(item.pk) for kind, item in made.items()}))  # noqa: T201 -- read by the walk


def _add_tired_owner() -> None:
    user = User.objects.create_user(TIRED, password=os.environ.get("DEMO_PASSWORD"))
    Staff.objects.create(church=Church.objects.get(slug="grace"), user=user, role="owner")
    limits.charge("api", str(user.pk), cost=policies.get("api").rate.burst)


def _make(church: Church, owner: User) -> dict[str, Any]:
    now = timezone.now()
    later = now + timedelta(days=30)
    choir = Group.objects.create(church=church, name="Choir of the examples")
    members = {
        kind: Member.objects.create(
            church=church, first_name="Anna", last_name=kind.title(), phone=phone
        )
        for kind, phone in _OTHER_NUMBERS.items()
    }
    choir.members.add(members["member"])
    conversation = conversation_with(church, _OTHER_NUMBERS["member"], now=now)

    def text(status: Status, **more: Any) -> Message:
        made: Message = Message.objects.create(
            tenant=church, to_number=_OTHER_NUMBERS["member"], recipient=members["member"],
            from_number=church.phone_number, status=status, text="Rehearsal is at 7 tonight.",
            created_at=now, updated_at=now, author=owner, thread=conversation.pk, **more,
        )  # fmt: skip
        return made

    def waiting() -> Message:
        return text(
            Status.SCHEDULED, scheduled_at=later, next_attempt_at=later,
            expires_at=later + timedelta(days=1),
        )  # fmt: skip

    def dead(status: Status = Status.DEAD) -> Message:
        return text(
            status, dead_since=now, error_code="40310", error_class="permanent",
            error_title="Invalid 'to' address",
        )  # fmt: skip

    sent = text(Status.SENT, sent_at=now)
    Attempt.objects.create(
        message=sent, number=1, started_at=now, duration_ms=85, outcome="accepted", http_status=200
    )
    unread = conversation_with(church, "+12025550174", now=now)
    received = Message.objects.create(
        tenant=church, direction=Direction.INBOUND, status=Status.RECEIVED, to_number=church.phone_number,
        from_number=unread.phone, text="Please stop by tonight", asks_to_stop=True, created_at=now,
        updated_at=now, thread=unread.pk,
    )  # fmt: skip
    type(unread).objects.filter(pk=unread.pk).update(unread_count=1, last_message=received)

    broadcast = Broadcast.objects.create(
        church=church, text="The picnic is on Sunday.", author=owner, created_at=now, total=1,
        audience={"groups": [ids.encode(choir.pk)]},
    )  # fmt: skip
    colleagues = {}
    for name in ("spare-sender", "leaving-sender"):
        user = User.objects.create_user(name)
        colleagues[name] = Staff.objects.create(church=church, user=user, role="sender")
    withdrawn, _ = invitations.invite(
        church, username="nobody-yet", role="viewer", invited_by=owner, now=now
    )
    return {
        **members,
        "group": choir,
        "spare_group": Group.objects.create(church=church, name="Ringers of the examples"),
        "keyword": Keyword.objects.create(church=church, word="ALTO", group=choir),
        "spare_keyword": Keyword.objects.create(church=church, word="TENOR", group=choir),
        "message": sent,
        "scheduled_message": waiting(),
        "spare_message": waiting(),
        "received_message": received,
        "dead_letter": dead(),
        "spare_dead_letter": dead(),
        "discarded_dead_letter": dead(),
        "doubtful_dead_letter": dead(Status.UNKNOWN),
        "broadcast": broadcast,
        "conversation": conversation,
        "unread_conversation": unread,
        "note": _note(church, conversation, owner),
        "spare_note": _note(church, conversation, owner),
        "template": TextTemplate.objects.create(church=church, name="Sunday", text="Come on Sunday"),
        "spare_template": TextTemplate.objects.create(church=church, name="Monday", text="Come on Monday"),
        "media": Attachment.objects.create(
            church=church, name="choir.png", kind="image/png", size=4, digest="example",
            content=b"\x89PNG", author=owner, created_at=now, keep_until=later,
        ),
        "colleague": colleagues["spare-sender"],
        "spare_colleague": colleagues["leaving-sender"],
        "invitation": Invitation.objects.get(pk=withdrawn.pk),
        **_webhooks(church),
    }  # fmt: skip


def _webhooks(church: Church) -> dict[str, Any]:
    """Make a webhook, one to delete, and one that is off. Their address has no listener."""
    url, now = "https://localhost:8443/webhooks", timezone.now()
    made: dict[str, Any] = {}
    for kind in ("webhook", "spare_webhook", "dead_webhook"):
        made[kind] = webhook(church, url, ["message.received"])
    WebhookEndpoint.objects.filter(pk=made["dead_webhook"].pk).update(off="gone", off_since=now)
    for kind, endpoint in (("delivery", "webhook"), ("dead_delivery", "dead_webhook")):
        made[kind] = WebhookDelivery.objects.create(
            endpoint=made[endpoint], event_id=f"test_{kind}", type="webhook.test", data={}, attempts=1,
            state="failed", status=410, error="status", excerpt="Gone", seconds=0.04, created_at=now,
            trying_since=now, tried_at=now,
        )  # fmt: skip
    return made


def _note(church: Church, conversation: Any, owner: User) -> Note:
    made: Note = Note.objects.create(
        church=church, conversation=conversation, text="Sings alto.", author=owner,
        created_at=timezone.now(),
    )  # fmt: skip
    return made
