from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connections, models

from koinonia.models.church import Church
from koinonia.models.group import Group


class MemberQuerySet(models.QuerySet["Member"]):
    def bulk_create(self, objs: Iterable[Member], *args: Any, **kwargs: Any) -> list[Member]:
        """As Django's, which sends no signal: messages that are older than a member are adopted."""
        # The conversation's model points at this one.
        from koinonia.conversations.history import adopt

        made = super().bulk_create(objs, *args, **kwargs)
        phones: dict[int, list[str]] = {}
        for member in made:
            phones.setdefault(member.church_id, []).append(member.phone)
        for church_id, theirs in phones.items():
            adopt(church_id, theirs)
        return made

    def keep(self, keys: Iterable[int]) -> set[int]:
        """Return which of ``keys`` exist, and hold off their deletion until the transaction ends.

        ``FOR KEY SHARE`` is the lock that a foreign key's own check takes, only earlier: two who text
        the same members do not wait for each other. SQLite has one writer at a time anyhow.
        """
        wanted = sorted(keys)
        if connections[self.db].vendor != "postgresql":
            return set(self.filter(pk__in=wanted).values_list("pk", flat=True))
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {self.model._meta.db_table} "  # noqa: S608 -- the name is ours
                "WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
                [wanted],
            )
            return {key for (key,) in cursor.fetchall()}


class Member(models.Model):
    """Someone of the congregation, who receives texts."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="members")
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=16)
    """E.164, made by ``koinonia.phone.normalise``."""
    groups = models.ManyToManyField(Group, related_name="members", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.BigIntegerField(default=1, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        # Not unique: a couple, or parents and a child, may share a number.
        indexes = [models.Index(fields=["church", "phone"], name="member_phone")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)


def full_name(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()
