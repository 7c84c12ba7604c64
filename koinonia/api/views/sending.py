from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import status
from rest_framework.response import Response

from delivery import conf
from delivery.accept import accept_message
from delivery.changes import message_changes
from delivery.content.visible_text import clean
from delivery.drafts import Draft
from delivery.models import Message
from koinonia import ids
from koinonia.api.errors import ConflictError
from koinonia.api.idempotency import PendingResponse
from koinonia.api.serializers.messages import MessageSerializer
from koinonia.api.views.base import ChurchView, unacceptable_as_error
from koinonia.conversations import conversation_with, member_at, remember_named
from koinonia.models import Member
from koinonia.texts import placeholders
from koinonia.texts.compose import compose_single


def shown(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Join the rows of other tables that the serializer of a message shows."""
    return messages.select_related("recipient", "author")


class SendingView(ChurchView):
    """Accepts one text: 202, because the text is stored and will be sent."""

    item_route = "api:message"

    def phone_of(self, given: dict[str, Any]) -> str:
        """Return the phone number of the named member or conversation, or ``to``."""
        named = given.get("member") or given.get("conversation")
        return str(named.phone if named else given["to"])

    def send(self, phone: str, given: dict[str, Any]) -> Response:
        now = timezone.now()
        named: Member | None = given.get("member")
        member = named or member_at(self.church, phone)
        # The transaction also covers the conversation: a refused text must not leave a new one.
        names = {"to": "conversation"} if given.get("to") != phone and not named else {}
        with unacceptable_as_error(names), message_changes(now):
            if member and not Member.objects.lock_against_deletion([member.pk]):
                if named:
                    raise ConflictError("This member was deleted a moment ago.")
                member = None
            thread = conversation_with(self.church, phone, now=now).pk
            if named:
                remember_named(thread, named)
            text = clean(given["text"])
            draft = Draft(
                to=phone,
                text=compose_single(text, member, self.church),
                template=text if given["send_at"] and placeholders.names_in(text) else "",
                recipient_id=member.pk if member else None,
                media_urls=tuple(given["media_urls"]),
                thread=thread,
            )
            message = accept_message(
                self.church, draft, author=self.user,
                scheduled_at=given["send_at"], expires_at=given["expires_at"], now=now,
            )  # fmt: skip
        message.recipient = member
        accepted = self.accepted(message)
        # Sync mode sends the text on commit. With a key, the commit comes after this method.
        return PendingResponse(accepted.data) if conf.sync() else accepted

    def outcome(self, data: dict[str, Any]) -> Response:
        """Return the answer with the present state of the text."""
        messages = shown(Message.objects.filter(tenant=self.church))
        return self.accepted(messages.get(pk=cast(int, ids.decode(data["id"]))))

    def accepted(self, message: Message) -> Response:
        data = MessageSerializer(message, context=self.get_serializer_context()).data
        return self.created(message, data, status.HTTP_202_ACCEPTED)
