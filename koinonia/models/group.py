from __future__ import annotations

from django.db import models

from koinonia.models.church import Church


class Group(models.Model):
    """A named part of the congregation: choir, youth, volunteers."""

    church = models.ForeignKey(Church, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=100)
    version = models.BigIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["church", "name"], name="group_name_once_per_church"),
        ]

    def __str__(self) -> str:
        return self.name
