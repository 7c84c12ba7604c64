from __future__ import annotations

from typing import Any

from django.db.models import Model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from koinonia import ids, phone

_ID_SCHEMA = {"type": "string", "maxLength": ids.MAX_LENGTH}


@extend_schema_field(_ID_SCHEMA)
class IdField(serializers.Field[int, str, str, Any]):
    """An integer key as its Sqid; read only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: int) -> str:
        return ids.encode(value)


@extend_schema_field(
    {"type": "string", "description": "The version, with its quotes: for `If-Match`."}
)
class ItemTagField(serializers.Field[int, str, str, Any]):
    """The ``version`` column as an entity tag, quotes included."""

    def __init__(self) -> None:
        super().__init__(read_only=True, source="version")

    def to_representation(self, value: int) -> str:
        return f'"{value}"'


@extend_schema_field(_ID_SCHEMA)
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
    """Several items of this church, written by their ids, in one query."""

    default_error_messages = {
        "not_a_list": "A list of ids is needed.",
        "unknown": "Not in this church: {values}.",
    }

    def __init__(self, related_name: str, **options: Any) -> None:
        self.related_name = related_name
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.fail("not_a_list")
        keys = {item: ids.decode(item) for item in data}
        wanted = [key for key in keys.values() if key is not None]
        found = getattr(self.context["church"], self.related_name).in_bulk(wanted)
        unknown = [item for item, key in keys.items() if key not in found]
        if unknown:
            self.fail("unknown", values=", ".join(item[:20] for item in unknown[:10]))
        return list(found.values())

    def to_representation(self, value: Any) -> list[str]:
        return [ids.encode(item.pk) for item in value.all()]


class PhoneField(serializers.CharField):
    """E.164; national forms of the church's country are taken as well."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return phone.normalise(text, self.context["church"].country)
        except phone.UnusableNumberError as error:
            raise serializers.ValidationError(str(error)) from None
