from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia import audit
from koinonia.api.serializers.templates import (
    AttachmentSerializer,
    TemplateSerializer,
    UploadSerializer,
)
from koinonia.api.views.base import (
    ChurchView,
    CreateView,
    DeleteView,
    ItemView,
    ListView,
    UpdateView,
    unacceptable_as_error,
)
from koinonia.media.storage import store
from koinonia.models import Attachment, TextTemplate


class _Templates(ChurchView):
    serializer_class = TemplateSerializer
    item_route = "api:template"
    collections = ("templates",)

    def get_queryset(self) -> QuerySet[TextTemplate]:
        return TextTemplate.objects.filter(church=self.church)


@extend_schema_view(post=extend_schema(responses={201: TemplateSerializer}))
class TemplatesView(_Templates, ListView, CreateView):
    """The texts that the staff keep, to send them again."""


class TemplateView(_Templates, ItemView, UpdateView, DeleteView):
    """A template."""

    def perform_destroy(self, instance: Model) -> None:
        audit.record(self.church, self.user, "template.deleted", instance)
        super().perform_destroy(instance)


class _Media(ChurchView):
    serializer_class = AttachmentSerializer
    item_route = "api:media-item"
    collections = ("media",)

    def get_queryset(self) -> QuerySet[Attachment]:
        return Attachment.objects.filter(church=self.church).defer("content")


class MediaView(_Media, ListView):
    """Files that were uploaded to send them with texts."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": UploadSerializer}, responses={201: AttachmentSerializer}
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Store a file of at most 1 MB: a picture (JPEG, PNG, GIF), a PDF, a sound (MP3), a video (MP4,
        3GP) or a contact (vCard). The content decides, not the name.

        Name its `url` in the `media_urls` of a text. A file is deleted 90 days after the last text
        with it, or after two days without one.
        """
        upload = request.FILES.get("file")
        if upload is None:
            raise ValidationError({"file": ["A file is needed."]})
        with unacceptable_as_error():
            stored = store(
                self.church, upload, upload.name or "", author=self.user, now=timezone.now()
            )
        return self.created(stored, self.get_serializer(stored).data)


class MediaItemView(_Media, ItemView):
    """An uploaded file."""
