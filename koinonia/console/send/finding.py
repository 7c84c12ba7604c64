"""Recipients found by typed words: exact names first, then the start of a word, then inside a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery.models import OptOut
from koinonia import ids, phone
from koinonia.console.send import recipients
from koinonia.console.send.recipients import Recipient
from koinonia.models import Church, Group, Member
from koinonia.names import search_key
from koinonia.numbers import grouped
from koinonia.people.search import found, matching

SHOWN_PEOPLE = 8
SHOWN_GROUPS = 6
COUNTED = 1_000
"""People are counted up to here."""
_MOST_GROUPS = 2_000
_LONGEST = 100
_LEAST_DIGITS = 7
_LEAST_LETTERS = 3
"""So many letters of "Everyone" offer it: one letter is more often the start of a name."""


@dataclass(frozen=True, slots=True)
class Option:
    """A line of the list."""

    recipient: Recipient
    detail: str
    refused: bool = False
    """The line is shown, and cannot be chosen."""


@dataclass(frozen=True, slots=True)
class Found:
    groups: list[Option]
    people: list[Option]
    number: Option | None
    more: str
    """A sentence about the people that are not shown; else empty."""
    words: str

    @property
    def total(self) -> int:
        return len(self.groups) + len(self.people) + (self.number is not None)

    @property
    def spoken(self) -> str:
        """Return the sentence for a screen reader."""
        if not self.total:
            return _("Nobody is found.")
        shown = ngettext("%(count)s result.", "%(count)s results.", self.total)
        return " ".join(filter(None, [shown % {"count": grouped(self.total)}, self.more]))


def find(church: Church, words: str, *, without: bool = False, taken: Iterable[str] = ()) -> Found:
    """Return groups, people and a number for the typed words.

    ``without`` finds the groups to leave out. ``taken`` are marks that the form has already.
    """
    words = words[:_LONGEST].strip()
    have = set(taken)
    key = search_key(words)
    groups = _groups(church, key, without=without, have=have)
    if not without and recipients.EVERYONE not in have:
        if not words:
            groups.insert(0, _everyone(church))
        elif len(key) >= _LEAST_LETTERS and search_key(_("Everyone")).startswith(key):
            groups.append(_everyone(church))
    if without or not words:
        return Found(groups, [], None, "", words)
    people, more = _people(church, words, have)
    number = _number(church, words)
    return Found(groups, people, number, more, words)


def rank(name: str, key: str) -> int:
    """Return 3 for the name itself, 2 for its start, 1 for the start of a word, 0 for the inside."""
    if name == key:
        return 3
    if name.startswith(key):
        return 2
    return 1 if f" {key}" in name else 0


def _everyone(church: Church) -> Option:
    count = Member.objects.filter(church=church).count()
    detail = ngettext("%(count)s member", "%(count)s members", count)
    detail %= {"count": grouped(count)}
    return Option(recipients.everyone(), detail, refused=not count)


def _groups(church: Church, key: str, *, without: bool, have: set[str]) -> list[Option]:
    rows = Group.objects.filter(church=church).order_by("name", "pk").values_list("pk", "name")
    prefix = "-g:" if without else "g:"
    names = [
        (-rank(folded, key), name, pk)
        for pk, name in rows[:_MOST_GROUPS]
        if key in (folded := search_key(name)) and prefix + ids.encode(pk) not in have
    ]
    wanted = [pk for _rank, _name, pk in sorted(names)[:SHOWN_GROUPS]]
    counted = Group.objects.filter(pk__in=wanted).annotate(people=Count("members"))
    by_key = {group.pk: group for group in counted}
    return [_group(by_key[pk], without=without) for pk in wanted if pk in by_key]


def _group(group: Group, *, without: bool) -> Option:
    people: int = group.people  # type: ignore[attr-defined] # annotated
    detail = ngettext("%(count)s member", "%(count)s members", people) % {"count": grouped(people)}
    return Option(
        recipients.of_group(group, without=without),
        detail if people else _("nobody yet"),
        refused=not people and not without,
    )


def _people(church: Church, words: str, have: set[str]) -> tuple[list[Option], str]:
    stopped = OptOut.objects.filter(tenant=OuterRef("church"), number=OuterRef("phone"))
    rows, _unranked = found(Member.objects.filter(church=church), words, church.country)
    annotated: Any = rows.annotate(is_stopped=Exists(stopped))
    ranked = annotated.order_by("-rank", "search_key", "pk")
    shown = list(ranked[: SHOWN_PEOPLE + 1])
    is_all = len(shown) <= SHOWN_PEOPLE
    options = [_person(church, member) for member in shown[:SHOWN_PEOPLE]]
    options = [option for option in options if option.recipient.mark not in have]
    if is_all:
        return options, ""
    left = Member.objects.filter(church=church).filter(matching(words, church.country)).order_by()
    return options, _more(left[: COUNTED + 1].count() - SHOWN_PEOPLE)


def _more(left: int) -> str:
    """Return the sentence about the people that are not shown."""
    if left + SHOWN_PEOPLE > COUNTED:
        sentence = _("and more than %(count)s others: type more of the name")
        return sentence % {"count": grouped(COUNTED - SHOWN_PEOPLE)}
    sentence = ngettext(
        "and %(count)s more: type more of the name",
        "and %(count)s more: type more of the name",
        left,
    )
    return sentence % {"count": grouped(left)}


def _person(church: Church, member: Member) -> Option:
    stopped: bool = member.is_stopped  # type: ignore[attr-defined] # annotated
    detail = _("opted out") if stopped else phone.as_written(member.phone, church.country)
    return Option(recipients.of_member(church, member), detail, refused=stopped)


def _number(church: Church, words: str) -> Option | None:
    """Return the typed number, if it is one and no member has it."""
    if sum(letter.isdecimal() for letter in words) < _LEAST_DIGITS:
        return None
    try:
        number = phone.normalise(words, church.country)
    except phone.UnusableNumberError:
        return None
    if Member.objects.filter(church=church, phone=number).exists():
        return None
    return Option(recipients.of_number(church, number), _("this number"))
