from __future__ import annotations

from typing import Any

from django.db import models

from koinonia import ids
from koinonia.models.church import Church
from koinonia.models.derived import with_derived
from koinonia.models.group import KEY_LENGTH, group_key


class TextTemplate(models.Model):
    """A text that the staff of a church keep, to send it again: an invitation, a reminder."""

    # The unique constraint begins with it.
    church = models.ForeignKey(
        Church, models.CASCADE, related_name="text_templates", db_index=False
    )
    name = models.CharField(max_length=100)
    key = models.CharField(max_length=KEY_LENGTH, editable=False)
    """``name`` in its comparable form."""
    text = models.TextField()
    """The words, with placeholders."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.BigIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["church", "key"], name="template_name_once_per_church"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        """Save the template with the key derived from its name."""
        self.key = group_key(self.name)
        super().save(*args, **with_derived(options, "key", "name"))

    @property
    def mark(self) -> str:
        """Return the id of the API."""
        return ids.encode(self.pk)
