from __future__ import annotations

from django.db import models

from koinonia.models.member import Member


class DistinctMembers(models.Model):
    """Two members that look like one person and are two: the list of doubles leaves them out."""

    # The unique constraint begins with it.
    one = models.ForeignKey(Member, models.CASCADE, related_name="+", db_index=False)
    """The older member: the lower key."""
    other = models.ForeignKey(Member, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="distinct_members_once"),
        ]

    def __str__(self) -> str:
        return f"{self.one_id} and {self.other_id}"
