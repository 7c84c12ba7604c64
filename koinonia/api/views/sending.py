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
from koinonia.conversations import member_at, remember_named, thread_of
from koinonia.models import Member
from koinonia.texts import placeholders
from koinonia.texts.compose import compose_single


def shown(messages: QuerySet[Message]) -> QuerySet[Message]:
    """With what the message shape shows of other tables."""
    return messages.select_related("recipient", "author")


class SendingView(ChurchView):
    """Takes one text in: 202, for it is a row and will be sent."""

    item_route = "api:message"

    def phone_of(self, given: dict[str, Any]) -> str:
        """Return the number of the recipient whom the client named."""
        named = given.get("member") or given.get("conversation")
        return str(named.phone if named else given["to"])

    def send(self, phone: str, given: dict[str, Any]) -> Response:
        now = timezone.now()
        named: Member | None = given.get("member")
        member = named or member_at(self.church, phone)
        # A conversation that was begun for a text that cannot be sent must not stay.
        names = {"to": "conversation"} if given.get("to") != phone and not named else {}
        with unacceptable_as_error(names), message_changes(now):
            if member and not Member.objects.keep([member.pk]):
                if named:
                    raise ConflictError("This member was deleted a moment ago.")
                member = None
            thread = thread_of(self.church, phone, now=now).pk
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
        # It is sent on the commit, for which an Idempotency-Key makes us wait.
        return PendingResponse(accepted.data) if conf.sync() else accepted

    def outcome(self, data: dict[str, Any]) -> Response:
        """What became of the text by now."""
        messages = shown(Message.objects.filter(tenant=self.church))
        return self.accepted(messages.get(pk=cast(int, ids.decode(data["id"]))))

    def accepted(self, message: Message) -> Response:
        data = MessageSerializer(message, context=self.get_serializer_context()).data
        return self.created(message, data, status.HTTP_202_ACCEPTED)
