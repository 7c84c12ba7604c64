"""The recipients that a form names, as short marks: ``all``, ``g:Uk``, ``m:x7``, ``n:+1312…``, ``-g:Uk``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from koinonia import ids
from koinonia.models import Church, Group, Member
from koinonia.models.member import called
from koinonia.phone import as_written

EVERYONE = "all"
MAX_MARKS = 500
"""The most recipients that a form carries. Larger audiences are groups."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient as the form shows it."""

    mark: str
    label: str
    kind: str
    """``everyone``, ``group``, ``member``, ``number`` or ``without``."""


@dataclass(slots=True)
class Chosen:
    """The recipients of a form, in the order of choice."""

    recipients: list[Recipient] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    gone: int = 0
    """The number of marks without a row in this church."""

    def __bool__(self) -> bool:
        return bool(self.of("everyone") or self.of("group") or self.of("member") or self.numbers)

    def of(self, kind: str) -> list[str]:
        """Return the ids, or numbers, of the recipients of this kind."""
        return [one.mark.rpartition(":")[2] for one in self.recipients if one.kind == kind]

    @property
    def numbers(self) -> list[str]:
        return self.of("number")

    @property
    def named(self) -> list[Recipient]:
        return [one for one in self.recipients if one.kind != "without"]

    @property
    def excepted(self) -> list[Recipient]:
        return [one for one in self.recipients if one.kind == "without"]

    @property
    def is_single(self) -> bool:
        """Return whether the text goes to a single person. Such a text is not a broadcast."""
        people = self.named
        return len(people) == 1 == len(self.recipients) and people[0].kind in {"member", "number"}

    @property
    def member(self) -> Member | None:
        return self.members[0] if self.is_single and self.members else None

    def addressee(self) -> dict[str, Any]:
        """Return the fields of the API for a single text."""
        [one] = self.recipients
        name = "member" if one.kind == "member" else "to"
        return {name: one.mark.partition(":")[2]}

    def audience(self) -> dict[str, Any]:
        """Return the audience of the API for a broadcast."""
        found: dict[str, Any] = {}
        if self.of("everyone"):
            found["all"] = True
        else:
            found |= {"groups": self.of("group"), "members": self.of("member")}
        without = self.of("without")
        return {**found, "exclude_groups": without} if without else found

    @property
    def problem(self) -> str:
        """Return a sentence for recipients that cannot be texted together; "" if they can."""
        if self.numbers and not self.is_single:
            return _(
                "A number that is not a member's is texted alone. Add the person as a member first,"
                " or remove the number."
            )
        return ""


def read(church: Church, marks: Iterable[str]) -> Chosen:
    """Return the recipients behind the marks of a form; two queries."""
    named = list(dict.fromkeys(marks))[:MAX_MARKS]
    groups = _rows(Group.objects.filter(church=church), _keys(named, "g", "-g"))
    members = _rows(Member.objects.filter(church=church), _keys(named, "m"))
    chosen = Chosen()
    for mark in named:
        kind, _colon, key = mark.rpartition(":")
        found = _recipient(church, mark, kind, key, groups, members)
        if found is None:
            chosen.gone += 1
            continue
        chosen.recipients.append(found)
        if found.kind == "member":
            chosen.members.append(members[ids.decode(key) or 0])
    return chosen


def everyone() -> Recipient:
    return Recipient(EVERYONE, _("Everyone"), "everyone")


def of_group(group: Group, *, without: bool = False) -> Recipient:
    mark = f"{'-' if without else ''}g:{ids.encode(group.pk)}"
    return Recipient(mark, group.name, "without" if without else "group")


def of_member(church: Church, member: Member) -> Recipient:
    name = called(member, church.country)
    return Recipient(f"m:{ids.encode(member.pk)}", name, "member")


def of_number(church: Church, number: str) -> Recipient:
    return Recipient(f"n:{number}", as_written(number, church.country), "number")


def _recipient(
    church: Church,
    mark: str,
    kind: str,
    key: str,
    groups: dict[int, Any],
    members: dict[int, Any],
) -> Recipient | None:
    if mark == EVERYONE:
        return everyone()
    if kind == "n" and key.startswith("+") and key[1:].isdecimal() and len(key) <= 16:
        return of_number(church, key)
    number = ids.decode(key) or 0
    if kind == "m" and number in members:
        return of_member(church, members[number])
    if kind in {"g", "-g"} and number in groups:
        return of_group(groups[number], without=kind == "-g")
    return None


def _keys(marks: Iterable[str], *kinds: str) -> set[int]:
    split = (mark.rpartition(":") for mark in marks)
    return {found for kind, _c, key in split if kind in kinds and (found := ids.decode(key))}


def _rows(rows: Any, keys: set[int]) -> dict[int, Any]:
    found: dict[int, Any] = rows.in_bulk(keys) if keys else {}
    return found
