"""Agreements in the log of consent: statements of the tenant that people want its texts.

An agreement lifts no opt-out. It is evidence for later, when somebody asks why a number was texted.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Max

from delivery.models import ConsentChange
from delivery.opt_outs import Record, opted_out


def agree(
    tenant_id: Any, numbers: Collection[str], said: Record, *, newcomers: Collection[str] = ()
) -> int:
    """Record that the people with ``numbers`` have agreed; return the number of new entries.

    Skip a number that is opted out, or whose last entry is an agreement or a START, so the same file
    adds nothing when it is imported again. A number in ``newcomers`` has a new person, for whom an
    earlier agreement says nothing.
    """
    wanted = set(numbers) - opted_out(tenant_id, numbers)
    entries = ConsentChange.objects.filter(tenant_id=tenant_id, number__in=wanted)
    latest = entries.values("number").annotate(latest=Max("pk")).values("latest")
    in_force = ConsentChange.objects.filter(pk__in=latest, opted_out=False)
    known = {
        number
        for number, at, source in in_force.values_list("number", "at", "source")
        if number not in newcomers or (at, source) == (said.at, said.source)
    }
    made = ConsentChange.objects.bulk_create(
        said.entry(tenant_id, number, opted_out=False) for number in sorted(wanted - known)
    )
    return len(made)
