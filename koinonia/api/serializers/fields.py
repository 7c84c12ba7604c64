from __future__ import annotations

from typing import Any

from django.db.models import Model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from delivery.content.visible_text import clean
from koinonia import ids, phone

MOST_GROUPS = 100
MOST_MEMBERS = 5_000
_LONGEST_NUMBER = 40


@extend_schema_field(ids.SCHEMA)
class IdField(serializers.Field[int, str, str, Any]):
    """An integer key as its Sqid; read only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: int) -> str:
        return ids.encode(value)


@extend_schema_field(
    {
        "type": "string",
        "description": "The version, with its quotes: for `If-Match`.",
        "example": '"17"',
    }
)
class ItemTagField(serializers.Field[int, str, str, Any]):
    """The ``version`` column as an entity tag, quotes included."""

    def __init__(self) -> None:
        super().__init__(read_only=True, source="version")

    def to_representation(self, value: int) -> str:
        return f'"{value}"'


@extend_schema_field(ids.SCHEMA)
class ChurchItemField(serializers.Field[Any, str, str, Any]):
    """One item of this church, written by its id; ``related_name`` is the church's way to them."""

    default_error_messages = {"unknown": "There is nothing with the id {value!r} in this church."}

    def __init__(self, related_name: str, **options: Any) -> None:
        self.related_name = related_name
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Model:
        key = ids.decode(data) if isinstance(data, str) else None
        church = self.context["church"]
        item = getattr(church, self.related_name).filter(pk=key).first() if key else None
        if item is None:
            self.fail("unknown", value=str(data)[:20])
        return item  # type: ignore[no-any-return] # a related manager by name

    def to_representation(self, value: Any) -> str:
        return ids.encode(value.pk)


class ChurchItemsField(serializers.Field[Any, list[str], list[str], Any]):
    """Several items of this church, written by their ids; read as their keys, in one query.

    Repetitions are dropped, then at most ``most`` are taken.
    """

    default_error_messages = {
        "not_a_list": "A list of ids is needed.",
        "too_many": "At most {most} can be named at once; these are {number}.",
        "unknown": "Not in this church: {values}.",
    }

    def __init__(self, related_name: str, *, most: int, **options: Any) -> None:
        self.related_name = related_name
        self.most = most
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[int]:
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.fail("not_a_list")
        named = dict.fromkeys(data)
        if len(named) > self.most:
            self.fail("too_many", most=self.most, number=len(named))
        keys = {item: ids.decode(item) for item in named}
        wanted = [key for key in keys.values() if key is not None]
        items = getattr(self.context["church"], self.related_name)
        found = set(items.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
        unknown = [item for item, key in keys.items() if key not in found]
        if unknown:
            self.fail("unknown", values=", ".join(item[:20] for item in unknown[:10]))
        return [key for key in wanted if key in found]

    def to_representation(self, value: Any) -> list[str]:
        return [ids.encode(item.pk) for item in value.all()]


class BoundedListField(serializers.ListField):
    """A list whose length is looked at before its items are."""

    def to_internal_value(self, data: Any) -> Any:
        if self.max_length is not None and isinstance(data, list) and len(data) > self.max_length:
            message = self.error_messages["too_many"]
            raise serializers.ValidationError(
                message.format(most=self.max_length, number=len(data)), code="too_many"
            )
        return super().to_internal_value(data)

    default_error_messages = {
        "too_many": "At most {most} can be named at once; these are {number}."
    }


class DistinctListField(BoundedListField):
    """A list in which repetitions do not count."""

    def to_internal_value(self, data: Any) -> Any:
        named = isinstance(data, list) and all(isinstance(item, str) for item in data)
        return super().to_internal_value(list(dict.fromkeys(data)) if named else data)


class PhoneField(serializers.CharField):
    """E.164; national forms of the church's country are taken as well."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_LONGEST_NUMBER, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if len(text) > _LONGEST_NUMBER:
            self.fail("max_length", max_length=_LONGEST_NUMBER)
        try:
            return phone.normalise(clean(text), self.context["church"].country)
        except phone.UnusableNumberError as error:
            raise serializers.ValidationError(str(error)) from None
