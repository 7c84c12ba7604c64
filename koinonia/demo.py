"""The demo churches grace and hope, with the same members every time.

They have received messages only: a message with the status "delivered" was really sent, in a demo too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group as UserGroup
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from delivery import conf
from delivery.changes import message_changes
from delivery.providers.base import InboundText
from delivery.tracking.inbound import received
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
    """Area codes with 100 fictional numbers each, 555-0100 to 555-0199."""


CHURCHES = (
    DemoChurch("grace", "Grace Church", "+13125550001", tuple(Role), (312, 773, 872)),
    DemoChurch("hope", "Hope Chapel", "+13125550002", (Role.OWNER,), (206, 425, 253)),
)


@transaction.atomic
def seed(password: str) -> None:
    """Add missing rows, keep changed rows, and set all passwords."""
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
    """Return one hash for all users, because hashing is slow by design.

    Return the stored hash if it matches, because a new hash would end all sessions.
    """
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
    members = [Member(church=church, **values) for values in _people(demo)]
    Member.objects.bulk_create(members)
    _receive(church, members, now=timezone.now())
    groups = Group.objects.bulk_create(Group(church=church, name=name) for name in GROUPS)
    through = Member.groups.through
    through.objects.bulk_create(
        through(member=member, group=group)
        for number, member in enumerate(members)
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


_RECEIVED = (
    (3, timedelta(hours=26), "Is choir practice on Thursday this week?"),
    (17, timedelta(hours=20), "Thank you for the visit yesterday. It meant a lot to Mum."),
    (42, timedelta(hours=3), "I can bring two salads to the picnic 🥗"),
    (42, timedelta(hours=3), "And plates, if you need some."),
    (108, timedelta(minutes=40), "We are running ten minutes late, please start without us."),
)
"""Index of the member, age, text."""


def _receive(church: Church, members: Sequence[Member], *, now: datetime) -> None:
    """Store the received messages like the webhook does, with conversations and events."""
    for number, (index, age, text) in enumerate(_RECEIVED):
        at = now - age
        inbound = InboundText(
            provider_id=f"demo-{church.slug}-{number}",
            to_number=church.phone_number,
            from_number=members[index].phone,
            text=text,
            at=at,
        )
        with message_changes(at) as changes:
            message = received(inbound, church, at, provider=conf.default_provider())
            message.save(force_insert=True)
            changes.add(message)
