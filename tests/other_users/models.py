"""A host project's users with UUID keys, and tenants with text keys."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)


class Parish(models.Model):
    code = models.CharField(max_length=20, primary_key=True)

    def __str__(self) -> str:
        return self.code
