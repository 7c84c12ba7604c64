"""The list of single texts, with its search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from koinonia.broadcasts.progress import with_counts
from koinonia.console.sent.base import SentView
from koinonia.console.sent.causes import advice, causes
from koinonia.console.sent.finding import MOST_BROADCASTS, MOST_PEOPLE, STATES, Search
from koinonia.console.sent.lines import list_line
from koinonia.console.sent.text_lines import text_line

_MOST_CAUSES = 12


class TextsView(SentView):
    """Shows single texts, newest first.

    A search for a person, or for texts that did not arrive, also finds texts of broadcasts. A search
    for words also finds broadcasts.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        search = Search(self.church, request.GET)
        found = search.found()
        # The causes count all texts of these days, not those of one person.
        by_cause = search.state == "failed" and not (search.person or search.words)
        letters = causes(search.dead_letters("")) if by_cause else []
        base = self.frame.base
        shown = {
            "search": search,
            "found": found,
            "lines": [text_line(text, base, self.church.country) for text in found.rows],
            "states": [(name, label) for name, (label, _statuses) in STATES.items()],
            "broadcasts": [
                list_line(one, base) for one in with_counts(search.broadcasts[:MOST_BROADCASTS])
            ],
            "more_broadcasts": len(search.broadcasts) > MOST_BROADCASTS,
            "most_broadcasts": MOST_BROADCASTS,
            "people": search.people[:MOST_PEOPLE],
            "too_many_people": len(search.people) > MOST_PEOPLE,
            "causes": advice(letters[:_MOST_CAUSES]),
            "tab": "texts",
        }
        return self.page("koinonia/console/sent/texts.html", shown)
