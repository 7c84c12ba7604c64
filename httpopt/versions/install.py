"""Making the triggers, around every ``migrate``, and telling whether they are all there.

Django remakes tables on SQLite, which drops their triggers without a word, or fails on one that
names the remade table. So there are none during a migration.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction
from django.db.utils import DatabaseError

from httpopt import conf
from httpopt.models import Counter
from httpopt.versions import triggers
from httpopt.versions.counters import begin_epoch


def before_migrate(*, using: str, **_: Any) -> None:
    connection = connections[using]
    if triggers.is_supported(connection):
        triggers.drop(connection, triggers.existing(connection))


def after_migrate(*, using: str, **_: Any) -> None:
    """Make what is missing, drop what nobody declares, and see that there is an epoch."""
    connection = connections[using]
    if not triggers.is_supported(connection):
        return
    tables = set(connection.introspection.table_names())
    if Counter._meta.db_table not in tables:
        return
    wanted = {
        one.name: one
        for one in triggers.declared(connection, conf.tracked())
        if one.table in tables
    }
    there = triggers.existing(connection)
    names = {name for name, _ in there}
    missing = [one for one in wanted.values() if one.name not in names]
    with transaction.atomic(using=using):
        triggers.drop(connection, [one for one in there if one[0] not in wanted])
        triggers.create(connection, missing)
        # What was written while they were away was not counted: no older tag may match.
        begin_epoch(using=using, anew=bool(missing))


def problems(using: str = "default") -> list[str]:
    """One sentence for each thing that makes 304s wrong; empty when all is well."""
    connection = connections[using]
    if not triggers.is_supported(connection):
        return [f"Triggers cannot be made on {connection.vendor}."] if conf.tracked() else []
    try:
        there = {name for name, _ in triggers.existing(connection)}
    except DatabaseError as error:
        # Not the error's own words: a readiness answer may quote this, and they name hosts and users.
        return [f"The triggers cannot be read ({type(error).__name__})."]
    wanted = triggers.declared(connection, conf.tracked())
    tables = sorted({one.table for one in wanted if one.name not in there})
    return [f"Triggers of the table {table} are missing; run migrate." for table in tables]
