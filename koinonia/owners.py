"""A church keeps at least one owner: nobody else could make another."""

from __future__ import annotations

from collections import defaultdict

from django.db import transaction
from django.db.models import QuerySet

from koinonia.models import Church, Role, Staff

SENTENCE = "A church keeps at least one owner."


@transaction.atomic
def last_owners(leaving: QuerySet[Staff]) -> list[Staff]:
    """Those of ``leaving`` without whom a church would have no owner, or none who can sign in.

    Within the caller's transaction, two who leave at once wait for each other here.
    """
    concerned = leaving.filter(role=Role.OWNER).values("church")
    # By key, so that nobody waits for one who waits for him.
    list(Church.objects.filter(pk__in=concerned).order_by("pk").select_for_update().values("pk"))
    gone = list(leaving.filter(role=Role.OWNER).select_related("user", "church"))
    staying = Staff.objects.filter(role=Role.OWNER).exclude(pk__in=[place.pk for place in gone])
    kept: defaultdict[bool, set[int]] = defaultdict(set)
    others = staying.filter(church__in=[place.church_id for place in gone])
    for church, is_active in others.values_list("church", "user__is_active"):
        kept[True].update([church] if is_active else [])
        kept[False].add(church)
    # A disabled owner takes the place of none but a disabled one.
    return [place for place in gone if place.church_id not in kept[place.user.is_active]]
