"""The rule that a church keeps at least one owner, because only an owner can appoint owners."""

from __future__ import annotations

from collections import defaultdict

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from koinonia.models import Church, Role, Staff

KEEP_ONE_OWNER = _("A church keeps at least one owner.")


@transaction.atomic
def last_owners(leaving: QuerySet[Staff]) -> list[Staff]:
    """Return the memberships in ``leaving`` that a church must keep to have an owner.

    An active owner counts as the last one if only disabled owners would stay. Lock the churches
    until the caller's transaction ends, so that two owners cannot leave in a race.
    """
    churches = leaving.filter(role=Role.OWNER).values("church")
    # Lock churches in primary-key order, so that two requests cannot deadlock.
    list(Church.objects.filter(pk__in=churches).order_by("pk").select_for_update().values("pk"))
    owners = list(leaving.filter(role=Role.OWNER).select_related("user", "church"))
    staying = Staff.objects.filter(role=Role.OWNER).exclude(pk__in=[owner.pk for owner in owners])
    others = staying.filter(church__in=[owner.church_id for owner in owners])
    has_owner: defaultdict[bool, set[int]] = defaultdict(set)
    """Churches that keep an owner: by True, one who can sign in; by False, any."""
    for church, is_active in others.values_list("church", "user__is_active"):
        has_owner[False].add(church)
        if is_active:
            has_owner[True].add(church)
    # A disabled owner can stand in for another disabled owner only.
    return [owner for owner in owners if owner.church_id not in has_owner[owner.user.is_active]]
