from __future__ import annotations

from django.db import models


class PersonRequest(models.Model):
    """An audit row: the data of a person was exported or erased. Written once, never changed."""

    class Kind(models.TextChoices):
        EXPORT = "export"
        ERASURE = "erasure"

    kind = models.CharField(max_length=7, choices=Kind)
    digest = models.CharField(max_length=64)
    """A keyed hash of the number: the row itself must not say who was erased."""
    churches = models.JSONField()
    """The slugs of the churches."""
    by = models.CharField(max_length=150)
    """The operating system's user who gave the command."""
    at = models.DateTimeField()
    counts = models.JSONField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.at:%Y-%m-%d}"
