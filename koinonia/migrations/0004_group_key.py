"""Group names are compared without case and invisible marks.

The column takes NULL, so that the release before can go on making groups beside this schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import migrations, models
from django.db.models import F

from delivery import schema_changes
from koinonia.names import comparison_key

_NAME_LENGTH, _KEY_LENGTH = 100, 400


def give_keys(apps: Any, schema_editor: Any) -> None:
    """Give each group its key; of two names that are equal now, the later gets " (2)"."""
    groups = apps.get_model("koinonia", "Group").objects.using(schema_editor.connection.alias)
    church, given, first = None, set(), set()
    for group in groups.order_by("church_id", "pk").iterator(chunk_size=1000):
        if group.church_id != church:
            church, given = group.church_id, set()
            names = groups.filter(church_id=church).values_list("name", flat=True)
            first = {_key(name) for name in names}
        # A new name must not be that of a group which comes later.
        name = next(
            candidate
            for candidate in _candidates(group.name)
            if _key(candidate) not in given
            and (candidate == group.name or _key(candidate) not in first)
        )
        key = _key(name)
        given.add(key)
        changes: dict[str, Any] = {"key": key}
        if name != group.name:
            # Its entity tag changes as with any rename: no trigger sees this one.
            changes |= {"name": name, "version": F("version") + 1}
        groups.filter(pk=group.pk).update(**changes)


def _key(name: str) -> str:
    return comparison_key(name)[:_KEY_LENGTH]


def _candidates(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        suffix = f" ({number})"
        yield name[: _NAME_LENGTH - len(suffix)] + suffix
        number += 1


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [("koinonia", "0003_shared_numbers")]

    operations = [
        schema_changes.AddField(
            model_name="group",
            name="key",
            field=models.CharField(editable=False, max_length=400, null=True),
        ),
        migrations.RunPython(give_keys, migrations.RunPython.noop, atomic=False),
        schema_changes.AddUniqueConstraint(
            model_name="group",
            constraint=models.UniqueConstraint(
                fields=("church", "key"), name="group_key_once_per_church"
            ),
        ),
    ]
