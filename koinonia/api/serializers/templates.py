"""Templates, and uploaded files."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from delivery.accept import UnacceptableError
from koinonia import audit
from koinonia.api.errors import taken_as_error
from koinonia.api.serializers.fields import IdField, ItemTagField, NameField, TextField
from koinonia.api.serializers.known_fields import KnownFieldsMixin
from koinonia.api.serializers.messages import MAX_TEXT_LENGTH
from koinonia.media.storage import url_of
from koinonia.models import Attachment, TextTemplate
from koinonia.texts import placeholders

MAX_TEMPLATES = 200


class TemplateSerializer(KnownFieldsMixin, serializers.ModelSerializer[TextTemplate]):
    id = IdField()
    name = NameField()
    text = TextField(max_length=MAX_TEXT_LENGTH)
    etag = ItemTagField()

    class Meta:
        model = TextTemplate
        fields = ["id", "name", "text", "created_at", "updated_at", "etag"]
        read_only_fields = ["created_at", "updated_at"]

    def validate_text(self, text: str) -> str:
        try:
            placeholders.check(text)
        except UnacceptableError as error:
            raise serializers.ValidationError(error.message) from error
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        templates = TextTemplate.objects.filter(church=self.context["church"])
        if self.instance is None and templates.count() >= MAX_TEMPLATES:
            sentence = _("There are {most} templates, the most there can be. Delete one first.")
            raise serializers.ValidationError({"name": [sentence.format(most=MAX_TEMPLATES)]})
        return attrs

    def save(self, **kwargs: Any) -> TextTemplate:
        name = self.validated_data.get("name", "")
        sentence = _("There is a template named {name!r} already. Choose another name.")
        church, user = self.context["church"], self.context["request"].user
        action = "template.changed" if self.instance else "template.added"
        with taken_as_error(name=sentence.format(name=name)):
            saved = super().save(church=church, **kwargs)
            audit.record(church, user, action, saved)
        return saved

    def update(self, instance: TextTemplate, validated_data: dict[str, Any]) -> TextTemplate:
        for name in ("name", "text"):
            setattr(instance, name, validated_data.get(name, getattr(instance, name)))
        instance.save(update_fields=["name", "text", "updated_at"])
        return instance


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    id = IdField()
    url = serializers.SerializerMethodField()
    type = serializers.CharField(source="kind", read_only=True)

    class Meta:
        model = Attachment
        fields = ["id", "name", "url", "type", "size", "created_at"]
        read_only_fields = fields

    def get_url(self, attachment: Attachment) -> str:
        """Return the URL for `media_urls`. Every client with the URL can read the file."""
        return url_of(attachment)


class UploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()
