from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from koinonia.models.church import Church

KEPT_FOR = timedelta(hours=1)
"""The time until an uploaded file is deleted."""
REPORT_KEPT_FOR = timedelta(days=1)
MAX_FILE_NAME_LENGTH = 200


class MemberFile(models.Model):
    """A file of people between its upload, its preview and the end of its import."""

    class State(models.TextChoices):
        UPLOADED = "uploaded"
        """A person looks at the preview."""
        RUNNING = "running"
        """``position`` of ``total`` steps are written."""
        DONE = "done"

    church = models.ForeignKey(Church, models.CASCADE, related_name="member_files")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.UPLOADED)
    name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True)
    content = models.BinaryField()
    """The compressed file; empty from the begin of the import."""
    plan = models.BinaryField(default=b"")
    """The compressed plan, from the preview to the end of the import."""
    encoding = models.CharField(max_length=40, blank=True)
    mapping = models.JSONField(default=dict)
    """``{"line": 1, "columns": {"3": "phone"}}``: the header's line and columns that a person chose."""
    position = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    """Remarks and ignored columns, from the reading."""
    progress = models.JSONField(default=dict)
    """Counts, remarks and new groups of the slices up to ``position``."""
    begun_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"
