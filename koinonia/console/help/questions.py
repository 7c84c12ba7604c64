"""The questions of the help page, and the link from another page to an answer."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from koinonia.console.words import Words

QUESTIONS: dict[str, Words] = {
    "everybody": _("How do I text everybody?"),
    "later": _("How do I send a text later, or every week?"),
    "stop": _("How do I stop a text?"),
    "arrived": _("Did somebody get my text?"),
    "status": _("What does each status mean?"),
    "undelivered": _("Why was a text not delivered, and what do I do?"),
    "parts": _("What is a part of a text?"),
    "opt_out": _("What do STOP and START do?"),
    "quiet": _("What are quiet hours?"),
    "import": _("How do I bring in the people of my church?"),
    "groups": _("How do people join a group by themselves?"),
    "inbox": _("Where do I see replies?"),
    "roles": _("Who may do what?"),
    "support": _("Whom do I ask?"),
}
"""The anchor of each answer -> its question, in the order of the page."""


def answer_link(church: str, anchor: str) -> SafeString:
    """Return a link to an answer, labelled with its question; ``church`` is the slug."""
    path = reverse("console-help", args=[church])
    return format_html('<a href="{}#{}">{}</a>', path, anchor, QUESTIONS[anchor])
