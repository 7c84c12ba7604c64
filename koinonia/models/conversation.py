"""Conversations, and the relation from a number to its member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, ForeignObject, IntegerField, Model, Q, Value, When
from django.utils import timezone

from koinonia.models.church import Church
from koinonia.models.member import Member

if TYPE_CHECKING:
    NumberHolderBase = ForeignObject[Any, Any]
else:
    # Django's field classes take no type arguments at run time.
    NumberHolderBase = ForeignObject


class NumberHolder(NumberHolderBase):
    """A relation by (church, phone) that finds at most one member. It has no column.

    Two members can share a number, and a plain join would return the row twice. The relation finds
    the member that the last message named (``named_member``) while that member has the number, else
    the oldest member (the lowest key).
    """

    requires_unique_target = False

    def get_extra_restriction(self, alias: str | None, related_alias: str | None) -> Any:
        return _HolderRestriction(str(alias), str(related_alias), self)

    def get_extra_descriptor_filter(self, instance: Model) -> Q:
        """Return the filter for ``instance.member``, which does not use a join."""
        church, phone = (getattr(instance, field.attname) for field in self.local_related_fields)
        named = getattr(instance, "named_member_id", None)
        members = self.related_model._default_manager.filter(church=church, phone=phone)
        return Q(pk=first_of(members, named))


def first_of(members: Any, named: int | None) -> int | None:
    """Return the key of the holder among ``members``, who share a number; None for no members."""
    is_named = Case(
        When(pk=named or 0, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    found: int | None = members.order_by(is_named, "pk").values_list("pk", flat=True).first()
    return found


class _HolderRestriction:
    """The rule of ``NumberHolder`` as SQL for the ON clause of the join."""

    _SQL = """{holder}.id = COALESCE(
        (SELECT one.id FROM {table} one WHERE one.id = {owner}.named_member_id
            AND one.church_id = {owner}.church_id AND one.phone = {owner}.phone),
        (SELECT MIN(one.id) FROM {table} one
            WHERE one.church_id = {owner}.church_id AND one.phone = {owner}.phone)
    )"""

    def __init__(self, holder: str, owner: str, field: NumberHolder) -> None:
        self.holder, self.owner, self.field = holder, owner, field

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        quote = compiler.quote_name_unless_alias
        sql = self._SQL.format(
            holder=quote(self.holder),
            owner=quote(self.owner),
            table=quote(self.field.related_model._meta.db_table),
        )
        return sql, []


class Conversation(models.Model):
    """The messages between a church and one number. ``Message.thread`` refers to it."""

    # Indexes below begin with it.
    church = models.ForeignKey(Church, models.CASCADE, related_name="conversations", db_index=False)
    phone = models.CharField(max_length=16)
    named_member = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    """The member that the last message named, for numbers that members share."""
    # Joined by number without a column: members are added, deleted, and change their numbers.
    member = NumberHolder(
        Member,
        models.DO_NOTHING,
        from_fields=["church", "phone"],
        to_fields=["church", "phone"],
        related_name="+",
        null=True,
    )
    # Each text changes it, and nothing asks by it: without an index and a constraint. A message that
    # is deleted takes its church along, or is older than the last one.
    last_message = models.ForeignKey(
        "delivery.Message", models.DO_NOTHING, null=True, blank=True, related_name="+",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    unread_count = models.PositiveIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    """The time of the last automatic answer."""
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["church", "phone"], name="conversation_once_per_phone"),
        ]
        indexes = [
            models.Index(fields=["church", "-updated_at", "-id"], name="conversation_list"),
            models.Index(
                fields=["church"], condition=Q(unread_count__gt=0), name="conversation_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.phone
