"""The numbers that a broadcast can reach: without opt-outs and without refused destinations."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from delivery import opt_outs
from delivery.limits import destinations
from koinonia.broadcasts.renderings import LeftOutList, Rendering
from koinonia.models import Church


class Reach:
    """Chooses the renderings whose numbers can be reached, and notes the members without one."""

    def __init__(self, church: Church) -> None:
        self._church = church
        self._countries = destinations.countries_of(church)
        self.opted_out = LeftOutList()
        self.refused = LeftOutList()
        """Members with a number of a country or a range that may not be texted."""

    def reached(self, renderings: Sequence[Rendering]) -> list[Rendering]:
        """Return the renderings that can be sent now. Each of them has a usable text."""
        stopped = opt_outs.opted_out(self._church.pk, {one.member.phone for one in renderings})
        found = []
        for one in renderings:
            if one.member.phone in stopped:
                self.opted_out.add(one.member, _("This number has opted out."))
            elif refusal := destinations.refusal(one.member.phone, self._countries):
                self.refused.add(one.member, refusal)
            else:
                found.append(one)
        return found
