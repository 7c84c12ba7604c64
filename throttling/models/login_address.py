from __future__ import annotations

from datetime import datetime

from django.db import models

from throttling import conf


class LoginAddressQuerySet(models.QuerySet["LoginAddress"]):
    def knows(self, name: str, address: str, *, now: datetime) -> bool:
        """Whether somebody logged in with this name from there, not too long ago."""
        since = now - conf.known_address_age()
        return self.filter(name=name, address=address, last_success__gt=since).exists()

    def remember(self, name: str, address: str, *, now: datetime) -> None:
        self.update_or_create(name=name, address=address, defaults={"last_success": now})

    def forgotten(self, now: datetime) -> LoginAddressQuerySet:
        return self.filter(last_success__lte=now - conf.known_address_age())


class LoginAddress(models.Model):
    """An address from which a user name logged in: from there nobody else can keep it out."""

    name = models.CharField(max_length=32)
    """A keyed hash of the user name."""
    address = models.CharField(max_length=43)
    """An IPv4 address or an IPv6 prefix."""
    last_success = models.DateTimeField(db_index=True)

    objects = LoginAddressQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "address"], name="login_address_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name[:8]}… from {self.address}"
