"""Keywords, automatic answers, and the changes of a group's members."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError as InvalidError
from django.utils.translation import gettext as _
from rest_framework import serializers

from delivery.accept import UnacceptableError
from koinonia.answers import keywords
from koinonia.api.errors import taken_as_error
from koinonia.api.serializers.acting import ActingMixin
from koinonia.api.serializers.fields import (
    MAX_MEMBERS,
    ChurchItemField,
    ChurchItemsField,
    IdField,
    ItemTagField,
    NameField,
    TextField,
)
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.models import Group, Keyword
from koinonia.models.keyword import MAX_ANSWER, MAX_WORD
from koinonia.texts import placeholders


class AnswerField(TextField):
    """An automatic answer; empty: a standard sentence in the language of the church."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"max_length": MAX_ANSWER, "allow_blank": True, "required": False, **options}
        )

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            placeholders.check(text)
        except UnacceptableError as error:
            raise serializers.ValidationError(error.message) from None
        return text


class GroupOfKeywordField(ChurchItemField):
    """The group of a keyword: read as ``{id, name}``, written as its id."""

    # ``koinonia.api.schema.GroupOfKeyword`` describes both.
    _spectacular_annotation: ClassVar[dict[str, Any]] = {}

    def to_representation(self, value: Group) -> Any:
        return {"id": IdField().to_representation(value.pk), "name": value.name}


class KeywordSerializer(ActingMixin, KnownFieldsMixin, serializers.ModelSerializer[Keyword]):
    id = IdField()
    word = NameField(max_length=MAX_WORD)
    group = GroupOfKeywordField("groups")
    answer = AnswerField()
    etag = ItemTagField()

    class Meta:
        model = Keyword
        fields = ["id", "word", "group", "answer", "created_at", "etag"]
        read_only_fields = ["created_at"]

    def validate_word(self, word: str) -> str:
        try:
            keywords.check_word(self.context["church"], word)
        except InvalidError as error:
            raise serializers.ValidationError(error.messages) from None
        return word

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        most = keywords.MAX_KEYWORDS
        if self.instance is None and self.context["church"].keywords.count() >= most:
            sentence = _("A church has at most %(most)s keywords. Delete one first.")
            raise serializers.ValidationError(sentence % {"most": most})
        return attrs

    def save(self, **kwargs: Any) -> Keyword:
        sentence = _("The word “%(word)s” joins another group already. Choose another word.")
        word = self.validated_data.get("word", "")
        made = self.instance is None
        with taken_as_error(word=sentence % {"word": word}):
            keyword = super().save(church=self.context["church"], **kwargs)
            self.record(
                "keyword.added" if made else "keyword.changed", keyword, self.validated_data
            )
        return keyword

    def update(self, instance: Keyword, validated_data: dict[str, Any]) -> Keyword:
        for name in ("word", "group", "answer"):
            setattr(instance, name, validated_data.get(name, getattr(instance, name)))
        instance.save(update_fields=["word", "group", "answer"])
        return instance


class GroupMembersSerializer(KnownFieldsMixin, serializers.Serializer[Any]):
    """The members who join and who leave a group, by their ids."""

    add = ChurchItemsField("members", most=MAX_MEMBERS, required=False, default=list)
    remove = ChurchItemsField("members", most=MAX_MEMBERS, required=False, default=list)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["add"] and not attrs["remove"]:
            raise serializers.ValidationError(_("Name members to add or to remove."))
        if set(attrs["add"]) & set(attrs["remove"]):
            sentence = _("A member cannot join and leave in one request.")
            raise serializers.ValidationError({"remove": [sentence]})
        return attrs
