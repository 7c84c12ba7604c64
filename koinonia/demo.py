"""The demo churches (contract section 4): the same people every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group as UserGroup
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from delivery.billed import Billed
from delivery.changes import message_changes
from delivery.tracking.inbound import InboundText, received
from delivery.tracking.inbound_content import Content
from koinonia.accounts.support_group import SUPPORT
from koinonia.models import Church, Group, Member, Role, Staff

MEMBERS = 300
GROUPS = ("Choir", "Youth", "Volunteers", "Home visits")
_FIRST = (
    "Anna", "Ben", "Chloë", "Daniel", "Esther", "Félix", "Grace", "Hannah", "Isaac", "José",
    "Katharina", "Lukas", "Miriam", "Noah", "Ólafur", "Priscilla", "Ruth", "Samuel", "Zoë", "Tomáš",
)  # fmt: skip
_LAST = (
    "Adams", "Brown", "Castañeda", "Diaz", "Eriksen", "Fischer", "García", "Hughes", "Ivanova",
    "Johnson", "Kowalski", "Lindström", "Müller", "Nguyen", "O'Connor",
)  # fmt: skip


@dataclass(frozen=True)
class DemoChurch:
    slug: str
    name: str
    phone_number: str
    roles: tuple[Role, ...]
    area_codes: tuple[int, ...]
    """100 numbers each: 555-0100 to 555-0199 belong to nobody."""


CHURCHES = (
    DemoChurch("grace", "Grace Church", "+13125550001", tuple(Role), (312, 773, 872)),
    DemoChurch("hope", "Hope Chapel", "+13125550002", (Role.OWNER,), (206, 425, 253)),
)


@transaction.atomic
def seed(password: str) -> None:
    """Make what is missing; what somebody has changed since stays. Passwords are set anew."""
    hashed = _hashed(password)
    for demo in CHURCHES:
        church, _ = Church.objects.get_or_create(
            slug=demo.slug,
            defaults={
                "name": demo.name, "phone_number": demo.phone_number, "timezone": "America/Chicago",
            },
        )  # fmt: skip
        for role in demo.roles:
            user = _user(f"{demo.slug}-{role}", hashed)
            Staff.objects.get_or_create(church=church, user=user, defaults={"role": role})
        if not church.members.exists():
            _fill(church, demo)
    _user("support", hashed, is_staff=True).groups.add(
        UserGroup.objects.get_or_create(name=SUPPORT)[0]
    )
    _user("admin", hashed, is_staff=True, is_superuser=True)


def usernames() -> list[str]:
    of_churches = [f"{demo.slug}-{role}" for demo in CHURCHES for role in demo.roles]
    return [*of_churches, "support", "admin"]


def _hashed(password: str) -> str:
    """One hash for all: it is slow by design. The old one where it is right, for a new one would
    end everyone's sessions."""
    admin = User.objects.filter(username="admin").first()
    if admin and check_password(password, admin.password):
        return admin.password
    return make_password(password)


def _user(username: str, hashed: str, **rights: bool) -> User:
    user, _ = User.objects.get_or_create(username=username, defaults={"password": hashed, **rights})
    if user.password != hashed:
        user.password = hashed
        user.save(update_fields=["password"])
    return user


def _fill(church: Church, demo: DemoChurch) -> None:
    people = [Member(church=church, **values) for values in _people(demo)]
    Member.objects.bulk_create(people)
    arrive(church, people, now=timezone.now())
    groups = Group.objects.bulk_create(Group(church=church, name=name) for name in GROUPS)
    through = Member.groups.through
    through.objects.bulk_create(
        through(member=person, group=group)
        for number, person in enumerate(people)
        for at, group in enumerate(groups)
        if number % (at + 3) == 0
    )


def _people(demo: DemoChurch) -> Iterator[dict[str, str]]:
    for number in range(MEMBERS):
        area = demo.area_codes[number // 100]
        yield {
            "first_name": _FIRST[number % len(_FIRST)],
            "last_name": _LAST[number // len(_FIRST)],
            "phone": f"+1{area}5550{100 + number % 100}",
        }


_SAID = (
    (3, timedelta(hours=26), "Is choir practice on Thursday this week?"),
    (17, timedelta(hours=20), "Thank you for the visit yesterday. It meant a lot to Mum."),
    (42, timedelta(hours=3), "I can bring two salads to the picnic 🥗"),
    (42, timedelta(hours=3), "And plates, if you need some."),
    (108, timedelta(minutes=40), "We are running ten minutes late, please start without us."),
)
"""Which member, how long ago, and what."""


def arrive(church: Church, people: Sequence[Member], *, now: datetime) -> None:
    """As from the webhook: rows, conversations and events."""
    for number, (who, ago, text) in enumerate(_SAID):
        at = now - ago
        inbound = InboundText(
            provider_id=f"demo-{church.slug}-{number}",
            to_number=church.phone_number,
            from_number=people[who].phone,
            content=Content(text, "", ()),
            billed=Billed(),
            autoresponse_type="",
            at=at,
        )
        with message_changes(at) as changes:
            message = received(inbound, church, at)
            message.save(force_insert=True)
            changes.add(message)
