from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from koinonia.models.church import Church
from koinonia.models.derived import with_derived
from koinonia.names import comparison_key, tidy

KEY_LENGTH = 400


class GroupQuerySet(models.QuerySet["Group"]):
    def bulk_create(self, objs: Iterable[Group], *args: Any, **options: Any) -> list[Group]:
        """Create the groups with their keys."""
        groups = list(objs)
        for group in groups:
            group.key = group_key(group.name)
        return super().bulk_create(groups, *args, **options)

    def complete_keys(self) -> None:
        """Add the keys of groups that an earlier release created during an upgrade.

        If another group has the same key, the group stays without a key: lists show both groups, and
        a search by name finds the group with the key.
        """
        for group in self.filter(key=None).order_by("pk"):
            key = group_key(group.name)
            taken = Group.objects.filter(church_id=group.church_id, key=key)
            if not taken.exists():
                self.filter(pk=group.pk, name=group.name).update(key=key)


class Group(models.Model):
    """A named group of members: choir, youth, volunteers."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=100)
    key = models.CharField(max_length=KEY_LENGTH, null=True, editable=False)  # noqa: DJ001 -- see below
    """``name`` in its comparable form. NULL, which no key equals, if an earlier release created the
    group during an upgrade."""
    welcome_text = models.TextField(blank=True, default="", db_default="")
    """Answers a person who joins by a keyword that has no answer."""
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
        """Save the group with the key derived from its name."""
        self.key = group_key(self.name)
        super().save(*args, **with_derived(options, "key", "name"))

    def clean(self) -> None:
        """Raise ValidationError for an invisible name, or a name that another group of the church has
        in another spelling."""
        self.name = tidy(self.name)
        if not self.name:
            raise ValidationError({"name": _("Give the group a visible name.")})
        same = Group.objects.filter(church_id=self.church_id, key=group_key(self.name))
        if same.exclude(pk=self.pk).exists():
            raise ValidationError({"name": taken(self.name)})


@lru_cache(maxsize=4096)
def group_key(name: str) -> str:
    """Return the key that all spellings of a group's name share, cut to the column's length."""
    return comparison_key(name)[:KEY_LENGTH]


def taken(name: str) -> str:
    """Return the error for a name that another group has."""
    sentence = _("There is a group named %(name)r in this church already. Choose another name.")
    return sentence % {"name": name}
