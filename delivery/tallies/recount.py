"""Make the tallies exact, and keep their table small."""

# ruff: noqa: S608 -- names and statuses of ours, no input
from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connections, router, transaction
from django.db.models import Q, QuerySet

from delivery import conf
from delivery.models import Message, Tally
from delivery.tallies.counted import (
    COLUMNS,
    COUNTED,
    DEAD,
    OF_QUARTER,
    QUARTER_SECONDS,
    TABLE,
    WAITING,
    add,
    in_column,
    literals,
)
from delivery.tallies.triggers import quarter

KEPT = timedelta(days=33)
"""Older quarters are one row: the report shows thirty days, in any time zone."""
_SETTLED = timedelta(hours=2)
_AT_ONCE = 5_000


def quarter_of(moment: datetime) -> int:
    return int(moment.timestamp()) // QUARTER_SECONDS


def recount(now: datetime, *, using: str | None = None) -> None:
    """Add the difference between the messages and their tallies.

    Each statement reads both in one snapshot. A transaction changes a message and its tally together, so
    the difference is right whatever else is written meanwhile.
    """
    connection = connections[using or router.db_for_write(Tally)]
    horizon = quarter_of(now - KEPT)
    counted = quarter("m", connection.vendor)
    messages = Message._meta.db_table
    totals = ", ".join(f"SUM({column})" for column in COLUMNS)
    differs = " OR ".join(f"SUM({column}) <> 0" for column in COLUMNS)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for of_all in (False, True):
            tenant = "" if of_all else "tenant_id, "
            kept = f"{TABLE} WHERE tenant_id IS {'' if of_all else 'NOT '}NULL"
            source = (
                f"SELECT {tenant}bucket, 0, {totals} FROM ("
                f"SELECT {tenant}{_bucket(counted, horizon)} AS bucket, {_sums(OF_QUARTER)}"
                f" FROM {messages} m WHERE m.status IN ({literals(COUNTED)})"
                f" GROUP BY {tenant}bucket"
                f" UNION ALL SELECT {tenant}0 AS bucket, {_sums(WAITING)}"
                f" FROM {messages} m WHERE m.status IN ({literals(DEAD)})"
                f" GROUP BY {tenant}bucket"
                f" UNION ALL SELECT {tenant}{_bucket('quarter', horizon)} AS bucket,"
                f" {_recorded(OF_QUARTER)} FROM {kept} GROUP BY {tenant}bucket"
                # The release before counted what waits in the quarters of the messages.
                f" UNION ALL SELECT {tenant}quarter AS bucket, {_recorded(WAITING)}"
                f" FROM {kept} GROUP BY {tenant}bucket"
                f") AS compared WHERE true GROUP BY {tenant}bucket HAVING {differs}"
                f" ORDER BY {tenant}bucket"
            )
            cursor.execute(add(of_all=of_all, source=source))


def _sums(columns: tuple[str, ...]) -> str:
    """Return the sums over messages; 0 for the columns that are counted in another quarter."""
    return ", ".join(
        f"SUM(CASE WHEN {in_column(column, 'm')} THEN 1 ELSE 0 END) AS {column}"
        if column in columns
        else f"0 AS {column}"
        for column in COLUMNS
    )


def _recorded(columns: tuple[str, ...]) -> str:
    return ", ".join(
        f"-SUM({column}) AS {column}" if column in columns else f"0 AS {column}"
        for column in COLUMNS
    )


def _bucket(expression: str, horizon: int) -> str:
    return f"CASE WHEN {expression} < {horizon} THEN 0 ELSE {expression} END"


def fold(now: datetime) -> int:
    """Add up the shards, and the quarters that no report shows. Return how many rows that saved.

    No sum changes. Rows that an open transaction holds are left for the next time.
    """
    horizon = quarter_of(now - KEPT)
    foldable = Tally.objects.filter(
        ~Q(shard=0, quarter__gte=horizon) & ~Q(shard=0, quarter=0),
        quarter__gte=0,
        quarter__lt=quarter_of(now - _SETTLED),
    )
    saved = _without_tenant().delete()[0]
    while True:
        with transaction.atomic(using=router.db_for_write(Tally)):
            rows = list(foldable.select_for_update(skip_locked=True).order_by("pk")[:_AT_ONCE])
            if not rows:
                return saved
            saved += len(rows) - _add_up(rows, horizon)


def _without_tenant() -> QuerySet[Tally]:
    """Return the rows of deleted tenants: the release before does not delete them."""
    tenants = apps.get_model(conf.tenant_model())._default_manager
    return Tally.objects.filter(tenant__isnull=False).exclude(tenant__in=tenants.values("pk"))


def _add_up(rows: list[Tally], horizon: int) -> int:
    """Replace the rows by one per tenant and quarter. Return how many keys there are."""
    sums: dict[tuple[Any, int], list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
    for row in rows:
        total = sums[row.tenant_id, 0 if row.quarter < horizon else row.quarter]
        for place, column in enumerate(COLUMNS):
            total[place] += getattr(row, column)
    Tally.objects.filter(pk__in=[row.pk for row in rows]).delete()
    connection = connections[router.db_for_write(Tally)]
    tenant = Tally._meta.get_field("tenant")
    values = ", ".join(["%s"] * len(COLUMNS))
    with connection.cursor() as cursor:
        for (tenant_id, at), total in sorted(
            sums.items(), key=lambda item: (str(item[0][0]), item[0][1])
        ):
            of_all = tenant_id is None
            given = [] if of_all else [tenant.get_db_prep_value(tenant_id, connection)]
            source = f"VALUES ({'' if of_all else '%s, '}%s, 0, {values})"
            cursor.execute(add(of_all=of_all, source=source), [*given, at, *total])
    return len(sums)
