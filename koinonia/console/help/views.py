"""The help page, with labels, sentences and figures from the code of the other pages."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from delivery.content.encoding import MAX_PARTS, size_rules
from delivery.dead_letters import reasons
from delivery.opt_outs.words import START_WORDS, STOP_WORDS
from koinonia import opt_out_words
from koinonia.console import words
from koinonia.console.frame import ConsoleView
from koinonia.console.help.questions import QUESTIONS
from koinonia.console.office.forms import InvitationForm
from koinonia.console.send.views import ASKS_ABOVE
from koinonia.console.sent.base import UNDO_FOR
from koinonia.member_import.table import MAX_FILE_BYTES, MAX_ROWS
from koinonia.models import Role, Staff
from koinonia.prices import part_price
from koinonia.quiet.hours import REPLY_WITHIN

_MOST_OWNERS = 10


class HelpView(ConsoleView):
    """Shows short answers to the questions of church staff, with links to the pages."""

    section = "help"

    def get(self, request: HttpRequest) -> HttpResponse:
        owners = Staff.objects.filter(church=self.church, role=Role.OWNER, user__is_active=True)
        sizes = size_rules()
        context = {
            "questions": QUESTIONS,
            "statuses": words.STATUSES,
            "causes": _causes(self.frame.state.provider),
            "plain_size": sizes["gsm7"],
            "other_size": sizes["ucs2"],
            "most_parts": MAX_PARTS,
            "price": part_price(self.church),
            "stop_words": [*STOP_WORDS, *opt_out_words.listed(self.church.opt_out_words)],
            "start_words": START_WORDS,
            "reply_minutes": int(REPLY_WITHIN.total_seconds() // 60),
            "undo_seconds": int(UNDO_FOR.total_seconds()),
            "asks_above": ASKS_ABOVE,
            "megabytes": MAX_FILE_BYTES // 2**20,
            "lines": MAX_ROWS,
            "roles": InvitationForm.base_fields["role"].choices,  # type: ignore[attr-defined] # a ChoiceField
            "owners": list(
                owners.order_by("user__username").values_list("user__username", flat=True)[
                    :_MOST_OWNERS
                ]
            ),
            "support": settings.SUPPORT_ADDRESS,
        }
        return self.page("koinonia/console/help/help.html", context)


def _causes(provider: str) -> list[tuple[words.Words, list[str]]]:
    """Return the sentences about failures by what helps, in the order of ``words.ADVICE``."""
    known = reasons.by_remedy(provider)
    return [(advice, known[remedy]) for remedy, advice in words.ADVICE.items() if remedy in known]
