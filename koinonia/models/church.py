from __future__ import annotations

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
    uses_second_number = models.BooleanField(
        default=False,
        db_default=False,
        help_text=(
            "While the provider of the church's number does not answer, send new texts from its"
            " second number. Texts that may have been sent already wait."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=1, editable=False)

    objects = ChurchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "churches"

    def __str__(self) -> str:
        return self.name
