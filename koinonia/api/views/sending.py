from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import status
from rest_framework.response import Response

from delivery import conf
from delivery.models import Message
from koinonia import ids
from koinonia.api.errors import ConflictError
from koinonia.api.idempotency import PendingResponse
from koinonia.api.serializers.messages import MessageSerializer
from koinonia.api.views.base import ChurchView, unacceptable_as_error
from koinonia.models import Member
from koinonia.texts.send import MemberGoneError, send_text


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
        named: Member | None = given.get("member")
        names = {"to": "conversation"} if given.get("to") != phone and not named else {}
        try:
            with unacceptable_as_error(names):
                message = send_text(
                    self.church, given["text"], to=phone, author=self.user, member=named,
                    media_urls=given["media_urls"], send_at=given["send_at"],
                    expires_at=given["expires_at"], through="api", now=timezone.now(),
                )  # fmt: skip
        except MemberGoneError:
            raise ConflictError("This member was deleted a moment ago.") from None
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
