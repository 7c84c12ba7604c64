"""Host models with keys that are not integers, and with a custom user model."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)


class Club(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    phone_number = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"Club {self.pk}"


class Visitor(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Club, models.CASCADE)
    phone = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"Visitor {self.pk}"


class Shop(models.Model):
    code = models.CharField(max_length=40, primary_key=True)
    phone_number = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"Shop {self.pk}"


class Customer(models.Model):
    code = models.CharField(max_length=40, primary_key=True)
    tenant = models.ForeignKey(Shop, models.CASCADE)
    phone = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"Customer {self.pk}"
