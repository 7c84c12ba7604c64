"""The audience of a broadcast in words: "Choir, Youth and 3 people"."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from koinonia.broadcasts.audience import Audience
from koinonia.models import Broadcast, Church, Group, Series
from koinonia.numbers import grouped

_MOST_NAMED = 6


def audience_in_words(church: Church, of: Broadcast | Series) -> str:
    """Return who gets the text. One query; groups that were deleted are left out."""
    audience = Audience.from_json(of.audience)
    keys = {*audience.group_ids, *audience.excluded_ids}
    names = dict(Group.objects.filter(church=church, pk__in=keys).values_list("pk", "name"))
    shown = _("Everyone") if audience.everyone else _chosen(audience, names)
    without = _listed([names[key] for key in audience.excluded_ids if key in names])
    if without:
        return _("%(people)s, but not %(groups)s") % {"people": shown, "groups": without}
    return shown


def _chosen(audience: Audience, names: dict[int, str]) -> str:
    words = [names[key] for key in audience.group_ids if key in names]
    if people := len(audience.member_ids):
        words.append(ngettext("%(n)s person", "%(n)s people", people) % {"n": grouped(people)})
    return _listed(words) or _("Nobody any more")


def _listed(words: list[str]) -> str:
    if len(words) > _MOST_NAMED:
        more = len(words) - _MOST_NAMED
        words = [*words[:_MOST_NAMED], _("%(n)s more") % {"n": grouped(more)}]
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}
