"""Conversations, and the relation from a number to its member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, ForeignObject, IntegerField, Model, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from koinonia.models.church import Church
from koinonia.models.member import Member
from koinonia.models.staff import Staff

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


class InboxState(models.TextChoices):
    """Whether the office has to do something about a conversation."""

    QUIET = "quiet"
    """The person has never answered, and nobody of the staff has taken it up."""
    OPEN = "open"
    """The person has written, or a colleague has opened it again."""
    DONE = "done"
    """A colleague has marked it as done. The person's next text opens it again."""


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def complete_inbox(self) -> int:
        """Open the conversations with unread texts that an earlier release received."""
        rows = self.filter(unread_count__gt=0).exclude(state=InboxState.OPEN)
        return rows.update(state=InboxState.OPEN, inbox_at=Coalesce("inbox_at", "updated_at"))


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
    assigned_to = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="conversations", db_index=False
    )
    """The colleague who answers it; the membership, so that it is free again when the colleague leaves."""
    state = models.CharField(
        max_length=5, choices=InboxState, default=InboxState.QUIET, db_default="quiet"
    )
    inbox_at = models.DateTimeField(null=True, blank=True)
    """The person's last text, or the first time that a colleague took it up; None: never in the inbox.
    A broadcast changes ``updated_at`` of thousands of conversations, and must not reorder the inbox."""

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["church", "phone"], name="conversation_once_per_phone"),
        ]
        indexes = [
            models.Index(fields=["church", "-updated_at", "-id"], name="conversation_list"),
            # Partial: a broadcast creates conversations that are in none of them.
            models.Index(
                fields=["church", "state", "-inbox_at", "-id"],
                condition=Q(inbox_at__isnull=False),
                name="conversation_inbox",
            ),
            models.Index(
                fields=["church", "-inbox_at", "-id"],
                condition=Q(unread_count__gt=0),
                name="conversation_unread_list",
            ),
            models.Index(
                fields=["assigned_to", "-inbox_at", "-id"],
                condition=Q(assigned_to__isnull=False),
                name="conversation_assigned",
            ),
        ]

    def __str__(self) -> str:
        return self.phone
