"""A host of ``delivery`` in another domain: a gym that texts its guests."""

from __future__ import annotations

from django.db import models


class Gym(models.Model):
    number = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"Gym {self.pk}"


class Guest(models.Model):
    gym = models.ForeignKey(Gym, models.CASCADE)
    mobile = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"Guest {self.pk}"
