from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from koinonia.models.church import Church
from koinonia.names import comparison_key, tidy

KEY_LENGTH = 400


class GroupQuerySet(models.QuerySet["Group"]):
    def bulk_create(self, objs: Iterable[Group], *args: Any, **options: Any) -> list[Group]:
        """Create ``objs`` with their keys."""
        groups = list(objs)
        for group in groups:
            group.key = group_key(group.name)
        return super().bulk_create(groups, *args, **options)

    def complete_keys(self) -> None:
        """Give a key to the groups that a release without keys has made beside this one.

        A group whose key another group has already stays without one: both are shown, and the one
        with the key is found by its name.
        """
        for group in self.filter(key=None).order_by("pk"):
            key = group_key(group.name)
            taken = Group.objects.filter(church_id=group.church_id, key=key)
            if not taken.exists():
                self.filter(pk=group.pk, name=group.name).update(key=key)


class Group(models.Model):
    """A named part of the congregation: choir, youth, volunteers."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=100)
    key = models.CharField(max_length=KEY_LENGTH, null=True, editable=False)  # noqa: DJ001 -- see below
    """``name`` as it is compared. NULL, which is equal to nothing: a release without keys, which
    may run beside this one, has made the group."""
    version = models.BigIntegerField(default=1, editable=False)

    objects = GroupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["church", "name"], name="group_name_once_per_church"),
            models.UniqueConstraint(fields=["church", "key"], name="group_key_once_per_church"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        """Save, with the key that follows from the name."""
        self.key = group_key(self.name)
        fields = options.get("update_fields")
        if fields is not None and "name" in fields:
            options["update_fields"] = {*fields, "key"}
        super().save(*args, **options)

    def clean(self) -> None:
        """Raise ValidationError where nothing of the name can be seen, or another group of the
        church has it in another spelling."""
        self.name = tidy(self.name)
        if not self.name:
            raise ValidationError({"name": "Give the group a name that can be seen."})
        same = Group.objects.filter(church_id=self.church_id, key=group_key(self.name))
        if same.exclude(pk=self.pk).exists():
            raise ValidationError({"name": taken(self.name)})


@lru_cache(maxsize=4096)
def group_key(name: str) -> str:
    """Return what two spellings of one group's name share, short enough for its column."""
    return comparison_key(name)[:KEY_LENGTH]


def taken(name: str) -> str:
    """Return the sentence that says that ``name`` is another group's already."""
    return f"There is a group named {name!r} in this church already. Choose another name."
