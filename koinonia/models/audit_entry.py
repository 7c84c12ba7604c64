from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from koinonia.models.church import Church


class AuditEntry(models.Model):
    """An act of the staff of a church, shown to its owners. Written once, never changed.

    It holds keys and no names or numbers of people: after an erasure there is nothing left to erase.
    """

    church = models.ForeignKey(Church, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    username = models.CharField(max_length=150)
    """The name at that time: it stays when the user is deleted."""
    action = models.CharField(max_length=40)
    """A key of ``koinonia.audit.ACTIONS``."""
    subject_kind = models.CharField(max_length=40, blank=True)
    """The model of the subject, such as ``member``."""
    subject_key = models.BigIntegerField(null=True)
    subject_label = models.CharField(max_length=100, blank=True)
    """The label of a subject that is not a person, such as a keyword."""
    detail = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["church", "-id"], name="audit_of_church"),
            models.Index(fields=["at"], name="audit_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.username}: {self.action}"
