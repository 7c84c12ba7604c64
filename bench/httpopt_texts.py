"""Two churches with 60 texts each: one sends campaigns, one sends 60 different texts."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

TEXTS = [
    "Dear {name}, the service this Sunday starts at 10 in the big hall. Coffee afterwards!",
    "Hi {name}, choir practice moved to Thursday 7 pm. Please bring the blue folder.",
    "{name}, we collect food for the shelter until Friday. The door is open from 9 to 5.",
    "Thank you {name} for helping at the summer fair. It made a difference!",
]
FIRST = """
    James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard
    Susan Joseph Jessica Thomas Sarah Charles Karen Daniel Lisa Matthew Nancy Anthony Betty Mark
"""
LAST = """
    Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez
    Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris
"""
WORDS = """
    the and to of we you is in it that for on with are this be have not but at from they can will
    please thank sorry yes no today tomorrow sunday monday friday morning evening church service
    pastor choir youth group meeting prayer bible study coffee hall door key car ride home mother
    father daughter son family friend neighbour hospital doctor work school late early sick better
    happy wonderful bring cake soup bread plates chairs table music piano guitar song practice
    moved cancelled starts ends minutes hour number call text answer letter money gift donation
    volunteer help need want could would should maybe someone everyone nobody children parking
    street rain snow cold warm garden kitchen office computer sound light microphone camera
""" + """
    baptism wedding funeral harvest easter christmas advent camp bus trip ticket passport luggage
    breakfast lunch dinner vegetarian allergy glasses jacket umbrella phone charger schedule plan
""".strip()


def furnish() -> str:
    """Create the churches in the database, and return the token of a user who works for both."""
    from django.contrib.auth.models import User
    from knox.models import AuthToken

    from koinonia.models import Church, Role, Staff

    user = User.objects.create_user("bench")
    pick = random.Random(7)  # noqa: S311 -- the same texts in each run
    words = WORDS.split()
    for number, slug in enumerate(("campaign", "inbox")):
        church = Church.objects.create(slug=slug, name=slug, phone_number=f"+1312555020{number}")
        Staff.objects.create(church=church, user=user, role=Role.SENDER)
        for place in range(60):
            _text(church, user, place, slug == "campaign", pick, words)
    return str(AuthToken.objects.create(user=user)[1])


def _text(
    church: Any, user: Any, place: int, campaign: bool, pick: random.Random, words: list[str]
) -> None:
    from django.utils import timezone

    from delivery.models import Message
    from delivery.statuses import Status
    from koinonia.models import Member

    first, last = pick.choice(FIRST.split()), pick.choice(LAST.split())
    phone = f"+1{pick.randint(2_000_000_000, 9_999_999_999)}"
    member = Member.objects.create(church=church, first_name=first, last_name=last, phone=phone)
    text = TEXTS[place % 4].format(name=first) if campaign else " ".join(pick.choices(words, k=14))
    # The lists sort by time.
    made = timezone.now() - timedelta(minutes=40 * (60 - place), seconds=pick.randint(0, 59))
    Message.objects.create(
        tenant=church, recipient=member, author=user, to_number=phone, text=text,
        from_number=church.phone_number, status=Status.DELIVERED, attempts=1, thread=member.pk,
        batch=church.pk if campaign else None, created_at=made, updated_at=made, sent_at=made,
        delivered_at=made + timedelta(seconds=3), expires_at=made + timedelta(days=1),
    )  # fmt: skip
