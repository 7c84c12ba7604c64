from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.validators import MinValueValidator
from django.db import models

from koinonia import opt_out_words
from koinonia.config.retention_days import LEAST_DAYS_OF_TEXTS
from koinonia.zones import check_zone

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from delivery.senders import Sender


class ChurchQuerySet(models.QuerySet["Church"]):
    def of(self, user: AbstractBaseUser | AnonymousUser) -> ChurchQuerySet:
        """Return the churches that ``user`` is staff of. Superusers get none: they use the admin."""
        return self.filter(staff__user_id=user.pk or 0)


class Language(models.TextChoices):
    ENGLISH = "en", "English"
    SPANISH = "es", "Español"


class Church(models.Model):
    """A church office: the tenant that owns all other rows."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    # Typed as Any: the code that sends has already checked that the church has a number.
    phone_number: models.CharField[Any, Any] = models.CharField(
        max_length=16, unique=True, null=True, blank=True
    )
    """The sending number, E.164; None until the operator assigns one (``sending_numbers``)."""
    country = models.CharField(max_length=2, default="US")
    """ISO 3166 code, for phone numbers without a country code."""
    timezone = models.CharField(max_length=64, default="UTC", validators=[check_zone])
    """IANA name. The church's daily limits follow the days of this zone."""
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
    keep_texts_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_DAYS_OF_TEXTS)],
        help_text="Days after which texts are deleted, at least 35. Empty: as the installation (KEEP_TEXTS_DAYS).",
    )
    quiet_from = models.TimeField(
        null=True,
        blank=True,
        help_text="From this time on, on the clocks where a number is, texts wait. Empty: they never do.",
    )
    quiet_until = models.TimeField(
        null=True, blank=True, help_text="At this time the texts that wait go out."
    )
    language = models.CharField(
        max_length=7, choices=Language, default=Language.ENGLISH, db_default="en"
    )
    """The language of the texts that the system writes to members: answers to keywords and others."""
    signature = models.CharField(max_length=80, blank=True, default="", db_default="")
    """Words that the page Send offers below each text."""
    part_price = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="The price of one part of a text. Empty: as the installation.",
    )
    office_hours = models.JSONField(null=True, blank=True)
    """``{"mon": ["09:00", "17:00"]}``, in the church's zone; a day without an entry is closed. None: unknown."""
    answers_when_closed = models.BooleanField(default=False, db_default=False)
    closed_answer = models.TextField(blank=True, default="", db_default="")
    """The answer outside the office hours; empty: a sentence in the church's language."""
    answers_first_contact = models.BooleanField(default=False, db_default=False)
    first_contact_answer = models.TextField(blank=True, default="", db_default="")
    """The answer to the first text of a number; empty: a sentence in the church's language."""
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=1, editable=False)

    known_senders: tuple[Sender, Sender | None] | None = None
    """The first sender, and the second one if it is in use; None: not read with the church."""

    objects = ChurchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "churches"

    def __str__(self) -> str:
        return self.name


RESERVED_FOR = timedelta(days=30)


class SendingNumber(models.Model):
    """A number that the operator assigned to a church.

    One row per number: two churches cannot have the same number. A released number keeps its row
    and its church while it is reserved.
    """

    number = models.CharField(max_length=16, unique=True)
    """E.164."""
    church = models.ForeignKey(
        Church, models.SET_NULL, null=True, blank=True, related_name="sending_numbers"
    )
    """The owner; None after the deletion of the church."""
    provider = models.CharField(max_length=20, default="telnyx", db_default="telnyx")
    """The provider account that the number belongs to: a key of ``DELIVERY["PROVIDERS"]``."""
    second = models.BooleanField(default=False, db_default=False)
    """The number with another provider, for the time in which the first provider is down."""
    given_at = models.DateTimeField()
    given_up_at = models.DateTimeField(null=True, blank=True)
    """The release; None while the church sends from the number."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["church", "second"],
                condition=models.Q(given_up_at=None),
                name="one_first_and_one_second_number",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def reserved_until(self) -> datetime | None:
        """Return the end of the reservation; None while the number is in use."""
        return self.given_up_at + RESERVED_FOR if self.given_up_at else None
