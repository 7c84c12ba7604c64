from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from django.db import connections, models
from django.db.models import Exists, OuterRef
from django.dispatch import Signal

from delivery.models import OptOut
from koinonia.models.church import Church
from koinonia.models.derived import with_derived
from koinonia.models.group import Group
from koinonia.names import search_key
from koinonia.phone import as_written, is_number

SEARCH_LENGTH = 400
_NAMES = frozenset({"first_name", "last_name"})
_AT_ONCE = 500

members_created = Signal()
"""Sent after a bulk write, which does not send ``post_save``: ``members``, a list of ``Member``."""


class MemberQuerySet(models.QuerySet["Member"]):
    """Updates ``search_key`` with each write of a name."""

    def bulk_create(self, objs: Iterable[Member], *args: Any, **options: Any) -> list[Member]:
        members = list(objs)
        for member in members:
            member.search_key = member.computed_search_key()
        if (fields := options.get("update_fields")) and not _NAMES.isdisjoint(fields):
            options["update_fields"] = [*fields, "search_key"]
        made = super().bulk_create(members, *args, **options)
        members_created.send(sender=self.model, members=made)
        return made

    def bulk_update(
        self, objs: Iterable[Member], fields: Iterable[str], *args: Any, **options: Any
    ) -> int:
        members, names = list(objs), list(fields)
        if not _NAMES.isdisjoint(names):
            for member in members:
                member.search_key = member.computed_search_key()
            names = list(dict.fromkeys([*names, "search_key"]))
        return super().bulk_update(members, names, *args, **options)

    def update(self, **values: Any) -> int:
        """Update the rows; if names change, update the search keys too."""
        if _NAMES.isdisjoint(values) or "search_key" in values:
            return super().update(**values)
        keys = list(self.values_list("pk", flat=True))
        changed = super().update(**values)
        self.model._default_manager.filter(pk__in=keys).complete_search_keys(all_of_them=True)
        return changed

    def complete_search_keys(self, *, all_of_them: bool = False) -> int:
        """Fill in missing search keys, or all keys; return the number of updated members."""
        rows = self if all_of_them else self.filter(search_key="")
        done = last = 0
        while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
            last = batch[-1].pk
            for member in batch:
                member.search_key = member.computed_search_key()
            models.QuerySet.bulk_update(self, batch, ["search_key"])
            done += len(batch)
        return done

    def lock_against_deletion(self, keys: Iterable[int]) -> set[int]:
        """Return the existing ``keys`` and block their deletion until the transaction ends.

        ``FOR KEY SHARE`` is the lock that the foreign-key check takes later anyway: two transactions
        that text the same members can run in parallel. SQLite has a single writer.
        """
        wanted = sorted(keys)
        if connections[self.db].vendor != "postgresql":
            return set(self.filter(pk__in=wanted).values_list("pk", flat=True))
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {self.model._meta.db_table} "  # noqa: S608 -- a table name from the model
                "WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
                [wanted],
            )
            return {key for (key,) in cursor.fetchall()}

    def lock_for_change(self) -> list[int]:
        """Lock these members until the transaction ends, in key order, and return their keys.

        Call it before rows of groups are written: their trigger changes the members too, and a
        deletion locks a member before its groups. Who refers to a member does not wait.
        """
        rows = self.select_for_update(of=("self",), no_key=True).order_by("pk")
        return list(rows.values_list("pk", flat=True))

    def lock_all_against_deletion(self) -> int:
        """Block the deletion of these members until the transaction ends; return the highest key.

        For PostgreSQL. The keys stay in the database: there can be any number of them.
        """
        sql, parameters = self.order_by("pk").values("id").query.sql_with_params()
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                f"SELECT COALESCE(MAX(id), 0) FROM ({sql} FOR KEY SHARE) AS locked",  # noqa: S608 -- a compiled query
                parameters,
            )
            (highest,) = cursor.fetchone()
        return int(highest)


class Member(models.Model):
    """A member of the congregation, who receives texts."""

    # Indexes below begin with it.
    church = models.ForeignKey(Church, models.CASCADE, related_name="members", db_index=False)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=16)
    """E.164, from ``koinonia.phone.normalise``."""
    search_key = models.CharField(
        max_length=SEARCH_LENGTH, default="", db_default="", blank=True, editable=False
    )
    """Both names in searchable form: see ``koinonia.names.search_key``."""
    groups = models.ManyToManyField(Group, related_name="members", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.BigIntegerField(default=1, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        # A couple, or parents and a child, can share a number: the index is not unique.
        indexes = [
            models.Index(fields=["church", "phone"], name="member_phone"),
            models.Index(fields=["church", "search_key"], name="member_search"),
            models.Index(fields=["church", "-id"], name="member_list"),
        ]

    def __str__(self) -> str:
        return full_name(self.first_name, self.last_name)

    def save(self, *args: Any, **options: Any) -> None:
        """Save the member with the search key derived from the names."""
        self.search_key = self.computed_search_key()
        super().save(*args, **with_derived(options, "search_key", *_NAMES))

    def computed_search_key(self) -> str:
        return search_key(full_name(self.first_name, self.last_name))[:SEARCH_LENGTH]

    @property
    def name(self) -> str:
        """Return the name; "" for a member without one."""
        return known_name(self.first_name, self.last_name)


def with_opt_outs(members: MemberQuerySet) -> MemberQuerySet:
    """Return the members with ``opted_out``: whether their number must not be texted."""
    theirs = OptOut.objects.filter(tenant=OuterRef("church"), number=OuterRef("phone"))
    return members.annotate(opted_out=Exists(theirs))


def full_name(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()


def known_name(first_name: str, last_name: str) -> str:
    """Return the full name; "" for the number that a member has who joined by a keyword."""
    name = full_name(first_name, last_name)
    return "" if is_number(name) else name


class Person(Protocol):
    """A member, or the columns of one."""

    @property
    def name(self) -> str: ...
    @property
    def phone(self) -> str: ...


def called(person: Person, country: str) -> str:
    """Return the name, or the number as people of ``country`` write it."""
    return person.name or as_written(person.phone, country)
