from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction

from throttling import allowlist, conf, policies


class AllowanceQuerySet(models.QuerySet["Allowance"]):
    """Announces every kind of write to all processes."""

    def valid(self, now: datetime) -> AllowanceQuerySet:
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now))

    def update(self, **kwargs: Any) -> int:
        transaction.on_commit(allowlist.announce)
        return super().update(**kwargs)

    def bulk_create(self, objs: Iterable[Allowance], *args: Any, **kwargs: Any) -> list[Allowance]:
        transaction.on_commit(allowlist.announce)
        return super().bulk_create(objs, *args, **kwargs)


class Allowance(models.Model):
    """An allowlist entry: a user, a network or an API token that is not limited."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    network = models.CharField(
        max_length=43,
        blank=True,
        help_text="An IP address or a CIDR, such as 203.0.113.9 or 2001:db8::/48.",
    )
    token = models.CharField(
        max_length=64,
        blank=True,
        help_text="The prefix by which the API token is listed, never the token itself.",
    )
    policies = models.CharField(
        max_length=200,
        blank=True,
        help_text=(
            "Names of policies, separated by commas; empty means all. A user is known only after "
            "the login: name the login policies to free the user's name from them."
        ),
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, help_text="Why, for whoever looks at this next year.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AllowanceQuerySet.as_manager()

    class Meta:
        verbose_name = "allowlist entry"
        verbose_name_plural = "allowlist entries"
        constraints = [
            models.CheckConstraint(
                name="allowance_of_one_thing",
                condition=(
                    models.Q(user__isnull=False, network="", token="")
                    | models.Q(models.Q(user=None, token=""), ~models.Q(network=""))
                    | models.Q(models.Q(user=None, network=""), ~models.Q(token=""))
                ),
                violation_error_message="Name a user, a network or a token: exactly one of them.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.policies or 'all policies'})"

    @property
    def subject(self) -> str:
        """Return the user, network or token, for people."""
        if self.user is not None:
            return f"user {self.user.get_username()}"
        return f"network {self.network}" if self.network else f"token {self.token}"

    @property
    def policy_names(self) -> frozenset[str]:
        """Return the names of the exempt policies; empty for all."""
        return frozenset(name.strip() for name in self.policies.split(",") if name.strip())

    def clean(self) -> None:
        errors: dict[str, str] = {}
        if self.network:
            try:
                self.network = str(ip_network(self.network.strip(), strict=False))
            except ValueError:
                errors["network"] = f"{self.network!r} is neither an IP address nor a CIDR."
        unknown = self.policy_names - policies.by_name().keys()
        if unknown:
            errors["policies"] = (
                f"No policy is called {', '.join(sorted(unknown))}; "
                f"there are {', '.join(sorted(policies.by_name()))}."
            )
        if errors:
            raise ValidationError(errors)
        self.policies = ",".join(sorted(self.policy_names))


class LoginAddressQuerySet(models.QuerySet["LoginAddress"]):
    def knows(self, name: str, address: str, *, now: datetime) -> bool:
        """Return True if this name logged in from this address within ``KNOWN_ADDRESS_DAYS``."""
        since = now - conf.known_address_age()
        return self.filter(name=name, address=address, last_success__gt=since).exists()

    def remember(self, name: str, address: str, *, now: datetime) -> None:
        self.update_or_create(name=name, address=address, defaults={"last_success": now})

    def forgotten(self, now: datetime) -> LoginAddressQuerySet:
        return self.filter(last_success__lte=now - conf.known_address_age())


class LoginAddress(models.Model):
    """An address from which a user name logged in; guesses made elsewhere cannot lock it out."""

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


class ThrottleState(models.Model):
    """A model without a table, for the index entry and the permissions of the admin's bucket page."""

    class Meta:
        managed = False
        default_permissions = ("view", "change")
        verbose_name = "throttle state"
        verbose_name_plural = "throttle state"

    def __str__(self) -> str:
        return "throttle state"
