"""The navigation and the state around a page, read from the database when a template shows them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from koinonia.api.permissions import suffices
from koinonia.console.memberships import ChurchState
from koinonia.console.trouble import Trouble, troubles
from koinonia.models import Role, Staff
from koinonia.names import comparison_key

SECTIONS: dict[str, tuple[str | Promise, str]] = {
    "today": (_("Today"), ""),
    "inbox": (_("Inbox"), "inbox/"),
    "send": (_("Send"), "send/"),
    "sent": (_("Sent"), "sent/"),
    "members": (_("Members"), "members/"),
    "groups": (_("Groups"), "groups/"),
    "more": (_("More"), "more/"),
}
"""The lines of the navigation, with their path below the church."""

ON_A_PHONE = frozenset({"today", "inbox", "send", "members", "more"})
"""The lines that a phone shows: its width allows five."""
ON_A_PHONE_OF_A_VIEWER = (ON_A_PHONE - {"send"}) | {"sent"}

SENTENCES: dict[str, str | Promise] = {
    "live": _("Live"),
    "connecting": _("Connecting…"),
    "polling": _("Live (polling)"),
    "offline": _("Offline: this page can be out of date"),
    "reply": _("New text from {name}"),
    "failed": _("The server did not accept this. Try again in a moment."),
    "unreachable": _("The server cannot be reached. Nothing you typed is lost. Try again."),
    "conflict": _("Somebody else changed this at the same time. Try again."),
    "busy": _("That was a lot at once. Wait a minute, and try again."),
    "notifying": _("New texts are announced on this device."),
    "blocked": _("Your browser does not allow this page to announce texts."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the navigation."""

    section: str
    label: str | Promise
    path: str
    on_a_phone: bool


class Frame:
    """The navigation, the unread texts and the troubles of one church."""

    def __init__(
        self, membership: Staff, memberships: list[Staff], state: ChurchState, now: datetime
    ) -> None:
        self.membership, self.memberships = membership, memberships
        self.state, self.now = state, now
        self.fresh = False
        """True: read the troubles again, although another page has just read them."""
        self.base = reverse("console-today", args=[membership.church.slug])

    @property
    def may_send(self) -> bool:
        return suffices(self.membership.role, Role.SENDER)

    @property
    def on_a_phone(self) -> frozenset[str]:
        return ON_A_PHONE if self.may_send else ON_A_PHONE_OF_A_VIEWER

    @property
    def lines(self) -> list[Line]:
        return [
            Line(section, label, self.base + path, section in self.on_a_phone)
            for section, (label, path) in SECTIONS.items()
            if section != "send" or self.may_send
        ]

    @property
    def sentences(self) -> dict[str, str]:
        """Return the sentences for ``console/live.js``."""
        return {name: str(sentence) for name, sentence in SENTENCES.items()}

    @property
    def unread(self) -> int:
        """Return the number of unread texts."""
        return self.state.unread

    @cached_property
    def troubles(self) -> list[Trouble]:
        found = troubles(self.membership.church, self.state, self.now, fresh=self.fresh)
        if self.state.has_dead_webhook and self.membership.role == Role.OWNER:
            sentence = _(
                "A webhook is switched off, because its receiver fails. See More, Webhooks."
            )
            found = [*found, Trouble("bad", str(sentence))]
        return found

    @cached_property
    def namesakes(self) -> set[int]:
        """Return the keys of memberships in churches with the same name."""
        names = Counter(comparison_key(one.church.name) for one in self.memberships)
        return {one.pk for one in self.memberships if names[comparison_key(one.church.name)] > 1}
