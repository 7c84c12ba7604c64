"""Audit entries of serializers, with the acting user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth.models import User

from koinonia import audit
from koinonia.models import Church


# For serializers of the API and of the console's forms, with ``church`` and a request or a user. A
# comment, because drf-spectacular would show a docstring as the description of every body.
class ActingMixin:
    context: Mapping[str, Any]

    def record(self, action: str, subject: Any, changed: Mapping[str, Any]) -> None:
        """Write the act with the names of the changed fields. Call it in the transaction of the act."""
        church = cast(Church, self.context["church"])
        fields = sorted(changed.keys() - {"church"})
        audit.record(church, self._user(), action, subject, {"fields": fields})

    def _user(self) -> User | None:
        user = self.context.get("user") or getattr(self.context.get("request"), "user", None)
        return cast("User | None", user)


def context_of(church: Church, user: User) -> dict[str, Any]:
    """Return the context of a serializer that judges a form of the console."""
    return {"church": church, "user": user}
