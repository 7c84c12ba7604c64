"""Groups and members."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.fields import empty

from delivery.models import OptOut
from delivery.opt_outs import opt_out, opted_out
from koinonia import audit
from koinonia.api.errors import taken_as_error
from koinonia.api.serializers.acting import ActingMixin
from koinonia.api.serializers.answers import AnswerField
from koinonia.api.serializers.fields import (
    MAX_GROUPS,
    ChurchItemField,
    ChurchItemsField,
    IdField,
    ItemTagField,
    NameField,
    PhoneField,
)
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.ids import encode
from koinonia.inbox.changes import announce
from koinonia.models import Church, Group, Member
from koinonia.models.group import taken


class GroupSerializer(ActingMixin, KnownFieldsMixin, serializers.ModelSerializer[Group]):
    id = IdField()
    name = NameField()
    members_count = serializers.IntegerField(read_only=True, default=0)
    etag = ItemTagField()
    welcome_text = AnswerField(
        help_text="Answers a keyword of this group that has no answer. Empty: a standard sentence."
    )

    class Meta:
        model = Group
        fields = ["id", "name", "members_count", "etag", "welcome_text"]

    def save(self, **kwargs: Any) -> Group:
        name = self.validated_data.get("name", "")
        made = self.instance is None
        with taken_as_error(name=taken(name)):
            group = super().save(church=self.context["church"], **kwargs)
            self.record("group.added" if made else "group.changed", group, self.validated_data)
        return group

    def update(self, instance: Group, validated_data: dict[str, Any]) -> Group:
        instance.name = validated_data.get("name", instance.name)
        instance.welcome_text = validated_data.get("welcome_text", instance.welcome_text)
        instance.save(update_fields=["name", "welcome_text"])
        return instance


class GroupOfMemberSerializer(serializers.Serializer[Group]):
    id = IdField()
    name = serializers.CharField(read_only=True)


class GroupsField(ChurchItemsField):
    """The groups of a member: read as ``[{id,name}]``, written as ``[id]``."""

    def to_representation(self, value: Any) -> list[Any]:
        groups = sorted(value.all(), key=lambda group: (group.name, group.pk))
        # As GroupOfMemberSerializer, of which DRF would copy the fields for each group.
        return [{"id": encode(group.pk), "name": group.name} for group in groups]


class FirstNameField(NameField):
    """A first name. A member who joined by a keyword may keep the empty one."""

    def run_validation(self, data: Any = empty) -> Any:
        member = getattr(self.parent, "instance", None)
        if data == "" and getattr(member, "first_name", None) == "":
            return data
        return super().run_validation(data)


class MemberSerializer(KnownFieldsMixin, serializers.ModelSerializer[Member]):
    id = IdField()
    first_name = FirstNameField()
    last_name = NameField(required=False, allow_blank=True)
    phone = PhoneField()
    groups = GroupsField("groups", most=MAX_GROUPS, required=False)
    opted_out = serializers.BooleanField(required=False)
    etag = ItemTagField()

    class Meta:
        model = Member
        fields = [
            "id", "first_name", "last_name", "phone", "groups", "opted_out",
            "created_at", "updated_at", "etag",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        member = self.instance
        same_number = member is not None and attrs.get("phone", member.phone) == member.phone
        if same_number and member.opted_out and attrs.get("opted_out") is False:  # type: ignore[union-attr] # annotated
            raise serializers.ValidationError(
                {"opted_out": [_("Only a START text from this number takes an opt-out back.")]}
            )
        return attrs

    def save(self, **kwargs: Any) -> Member:
        church: Church = self.context["church"]
        action = "member.changed" if self.instance else "member.added"
        with transaction.atomic():
            fields = sorted(self._changed())
            member = super().save(church=church, **kwargs)
            audit.record(church, self.context["request"].user, action, member, {"fields": fields})
        return member

    def _changed(self) -> set[str]:
        """Return the fields with other values than the member's. A form of the console sends all."""
        given, member = self.validated_data, self.instance
        if member is None:
            return set(given)
        plain = given.keys() - {"groups", "opted_out"}
        changed = {name for name in plain if getattr(member, name) != given[name]}
        if "groups" in given and set(given["groups"]) != set(member.groups.all()):
            changed.add("groups")
        if given.get("opted_out") and not opted_out(
            member.church_id, [given.get("phone", member.phone)]
        ):
            changed.add("opted_out")
        return changed

    def create(self, validated_data: dict[str, Any]) -> Member:
        groups = validated_data.pop("groups", [])
        opts_out = validated_data.pop("opted_out", False)
        member = Member.objects.create(**validated_data)
        member.groups.set(groups)
        self._opt_out(member, opts_out)
        return member

    def update(self, instance: Member, validated_data: dict[str, Any]) -> Member:
        church: Church = validated_data.pop("church")
        groups = validated_data.pop("groups", None)
        opts_out = validated_data.pop("opted_out", False)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        # Always write updated_at: groups and opt-outs belong to the member.
        instance.save(update_fields=[*validated_data, "updated_at"])
        if groups is not None:
            instance.groups.set(groups)
        instance.church = church
        self._opt_out(instance, opts_out)
        return instance

    def _opt_out(self, member: Member, opts_out: bool) -> None:
        if opts_out:
            now, by = timezone.now(), self.context["request"].user
            opt_out(member.church_id, member.phone, OptOut.Source.STAFF, now=now, by=by)
            announce(member.church, member.phone, now=now)


class MergeSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    into = ChurchItemField("members", help_text="The member that remains.")
    first_name = NameField(required=False)
    last_name = NameField(required=False, allow_blank=True)
    phone = PhoneField(required=False, help_text="The number of one of the two.")


class MergedSerializer(serializers.Serializer[Any]):
    """The remaining member, and the rows that passed to it."""

    member = MemberSerializer()
    texts = serializers.IntegerField()
    groups = serializers.IntegerField()
    broadcasts = serializers.IntegerField(help_text="Scheduled broadcasts that named the other.")
    conversations = serializers.IntegerField(
        help_text="Conversations that passed to the remaining number: nobody has the other any more."
    )
    opted_out = serializers.BooleanField(
        help_text="The remaining number is opted out because the other one was."
    )
