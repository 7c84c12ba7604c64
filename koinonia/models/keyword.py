from __future__ import annotations

from typing import Any

from django.db import models

from delivery.opt_outs.words import key
from koinonia.models.church import Church
from koinonia.models.derived import with_derived
from koinonia.models.group import Group

MAX_WORD = 30
MAX_ANSWER = 480
"""Letters of an automatic answer: three parts, or seven with letters outside of GSM-7."""


def keyword_key(word: str) -> str:
    """Return the form of ``word`` for comparisons: without case, accents and blanks."""
    return key(word).replace(" ", "")


class Keyword(models.Model):
    """A word that joins a group when a person texts it to the church."""

    # The unique constraint begins with it.
    church = models.ForeignKey(Church, models.CASCADE, related_name="keywords", db_index=False)
    word = models.CharField(max_length=MAX_WORD)
    """The spelling of the staff: CHOIR."""
    key = models.CharField(max_length=64, editable=False)
    """The comparable form, without blanks; see ``keyword_key``."""
    group = models.ForeignKey(Group, models.CASCADE, related_name="keywords")
    answer = models.TextField(blank=True, default="")
    """The answer to the word; empty: the welcome text of the group, else a sentence in the church's language."""
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["church", "key"], name="keyword_once_per_church"),
        ]

    def __str__(self) -> str:
        return self.word

    def save(self, *args: Any, **options: Any) -> None:
        """Save the keyword with the key derived from its word."""
        self.key = keyword_key(self.word)
        super().save(*args, **with_derived(options, "key", "word"))
