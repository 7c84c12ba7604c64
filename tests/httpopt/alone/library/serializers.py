from __future__ import annotations

from typing import Any

from rest_framework import serializers

from httpopt.fields import Computed
from tests.httpopt.alone.library.models import Author, Book, Subject


class SubjectSerializer(serializers.ModelSerializer[Subject]):
    class Meta:
        model = Subject
        fields = ["id", "name"]


class AuthorSerializer(serializers.ModelSerializer[Author]):
    name = Computed("first_name", "last_name", compute="{} {}".format)

    class Meta:
        model = Author
        fields = ["id", "name", "notes"]


class PlainBookSerializer(serializers.ModelSerializer[Book]):
    """Has only columns, so that lists need no model instances."""

    author = AuthorSerializer(read_only=True)
    etag = Computed("version", compute='"{}"'.format)
    code = serializers.CharField(write_only=True, required=False)

    class Meta:
        model = Book
        fields = [
            "id", "title", "text", "pages", "price", "extra", "added", "author", "etag", "code",
        ]  # fmt: skip

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        request = self.context.get("request")
        if request is not None and request.user.username == "guest":
            del fields["price"]
        return fields

    def create(self, validated_data: dict[str, Any]) -> Book:
        validated_data.pop("code", None)
        return Book.objects.create(**validated_data)


class BookSerializer(PlainBookSerializer):
    """Has a list, a method and a property."""

    subjects = SubjectSerializer(many=True, read_only=True)
    subject_ids = serializers.PrimaryKeyRelatedField(many=True, read_only=True, source="subjects")
    label = serializers.SerializerMethodField()
    written_by = serializers.CharField(source="author.full_name", read_only=True, allow_null=True)

    class Meta(PlainBookSerializer.Meta):
        fields = [
            *PlainBookSerializer.Meta.fields, "subjects", "subject_ids", "label", "written_by",
        ]  # fmt: skip
        reads = {"label": ("title", "pages")}

    def get_label(self, book: Book) -> str:
        return f"{book.title} ({book.pages})"
