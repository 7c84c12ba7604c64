"""Serializer fields: ids, items of the church, bounded lists, phone numbers, names and texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from delivery.content.visible_text import clean, is_blank
from koinonia import ids, phone
from koinonia.names import tidy

MAX_GROUPS = 100
MAX_MEMBERS = 5_000
_MAX_NUMBER_LENGTH = 40
_MAX_SHOWN = 40
"""The characters of a wrong choice that its error repeats."""


@extend_schema_field(ids.SCHEMA)
class IdField(serializers.Field[int, str, str, Any]):
    """A primary key as a Sqid; read only."""

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
    """The ``version`` column as an entity tag with quotes."""

    def __init__(self) -> None:
        super().__init__(read_only=True, source="version")

    def to_representation(self, value: int) -> str:
        return f'"{value}"'


@extend_schema_field(ids.SCHEMA)
class ChurchItemField(serializers.Field[Any, str, str, Any]):
    """An item of the church, written as its id. ``related_name`` is an attribute of the church."""

    default_error_messages = {
        "unknown": _("There is nothing with the id {value!r} in this church.")
    }

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
    """Several items of the church, written as their ids and looked up in one query.

    Repeated ids count once. More than ``most`` are refused.
    """

    default_error_messages = {
        "not_a_list": _("A list of ids is needed."),
        "too_many": _("At most {most} can be named at once; these are {number}."),
        "unknown": _("Not in this church: {values}."),
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
    """A list that checks its length before it checks its items."""

    def to_internal_value(self, data: Any) -> Any:
        if self.max_length is not None and isinstance(data, list) and len(data) > self.max_length:
            message = self.error_messages["too_many"]
            raise serializers.ValidationError(
                message.format(most=self.max_length, number=len(data)), code="too_many"
            )
        return super().to_internal_value(data)

    default_error_messages = {
        "too_many": _("At most {most} can be named at once; these are {number}.")
    }


class DistinctListField(BoundedListField):
    """A list of texts without repetitions."""

    def to_internal_value(self, data: Any) -> Any:
        named = isinstance(data, list) and all(isinstance(item, str) for item in data)
        return super().to_internal_value(list(dict.fromkeys(data)) if named else data)


class ChoiceField(serializers.ChoiceField):
    """A choice. The error about any other value names the choices."""

    default_error_messages = {
        "invalid_choice": _("“{input}” is not one of the choices: {choices}.")
    }

    def to_internal_value(self, data: Any) -> Any:
        if str(data) not in self.choice_strings_to_values and not (data == "" and self.allow_blank):
            choices = ", ".join(map(str, self.choices))
            self.fail("invalid_choice", input=str(data)[:_MAX_SHOWN], choices=choices)
        return super().to_internal_value(data)


class PhoneField(serializers.CharField):
    """A phone number in E.164 or in a national form of the church's country."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_MAX_NUMBER_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if len(text) > _MAX_NUMBER_LENGTH:
            self.fail("max_length", max_length=_MAX_NUMBER_LENGTH)
        try:
            return phone.normalise(clean(text), self.context["church"].country)
        except phone.UnusableNumberError as error:
            raise serializers.ValidationError(str(error)) from None


_CODE_POINTS_PER_LETTER = 8
"""The most code points of one visible letter. Longer input is refused before it is cleaned."""


class _CleanedField(serializers.CharField):
    """A text that is cleaned before its length is checked. Invisible text is empty."""

    default_error_messages = {
        "blank": _("Fill this in."),
        "max_length": _("This is longer than {max_length} letters. Shorten it."),
    }
    cleaned: Callable[[str], str]

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        # People do not type these characters: refuse the text instead of cleaning it.
        for refuse in (ProhibitNullCharactersValidator(), ProhibitSurrogateCharactersValidator()):
            refuse(text)
        if self.max_length is not None and len(text) > self.max_length * _CODE_POINTS_PER_LETTER:
            self.fail("max_length", max_length=self.max_length)
        text = type(self).cleaned(text)
        if not text and not self.allow_blank:
            self.fail("blank")
        return text


class NameField(_CleanedField):
    """A name: NFC, one line, single spaces, no invisible control characters."""

    cleaned = staticmethod(tidy)
    default_error_messages = {
        "max_length": _("This is too long: it has more than {max_length} characters.")
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 100, **options})


def _visible(text: str) -> str:
    kept = clean(text)
    return "" if is_blank(kept) else kept


class TextField(_CleanedField):
    """A text of any number of lines, in NFC and otherwise unchanged."""

    cleaned = staticmethod(_visible)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})
