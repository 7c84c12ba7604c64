from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models

from koinonia import opt_out_words
from koinonia.zones import check_zone

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class ChurchQuerySet(models.QuerySet["Church"]):
    def of(self, user: AbstractBaseUser | AnonymousUser) -> ChurchQuerySet:
        """The churches that ``user`` is staff of. Superusers get none: their place is the admin."""
        return self.filter(staff__user_id=user.pk or 0)


class Church(models.Model):
    """A congregation's office: the tenant. Everything else hangs on one."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    # Typed loosely: who sends a text has made sure that there is a number.
    phone_number: models.CharField[Any, Any] = models.CharField(
        max_length=16, unique=True, null=True, blank=True
    )
    """The number it texts from, E.164; None until the operator gives one (``sending_numbers``)."""
    country = models.CharField(max_length=2, default="US")
    """ISO 3166 code: how a number without a country code is read."""
    timezone = models.CharField(max_length=64, default="UTC", validators=[check_zone])
    """IANA name: the church's days are counted in it."""
    opt_out_words = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        validators=[opt_out_words.check],
        help_text="Words that end the texts like STOP does, separated by commas: ALTO, PARAR, BAJA.",
    )
    plain_punctuation = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Write ' for a curly apostrophe and the like, which make a text cost more parts.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=1, editable=False)

    objects = ChurchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "churches"

    def __str__(self) -> str:
        return self.name


RESERVED_FOR = timedelta(days=30)


class SendingNumber(models.Model):
    """A number that the operator gave to a church, and to whom it belongs.

    There is one row per number, so that no number belongs to two churches. A number that was given
    up keeps its row, and its church, while it is reserved.
    """

    number = models.CharField(max_length=16, unique=True)
    """E.164."""
    church = models.ForeignKey(
        Church, models.SET_NULL, null=True, blank=True, related_name="sending_numbers"
    )
    """None: the church was deleted."""
    given_at = models.DateTimeField()
    given_up_at = models.DateTimeField(null=True, blank=True)
    """None: the church texts from it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["church"],
                condition=models.Q(given_up_at=None),
                name="sending_number_once_per_church",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def reserved_until(self) -> datetime | None:
        """Return when the 30 days end; None while the number is in use."""
        return self.given_up_at + RESERVED_FOR if self.given_up_at else None
