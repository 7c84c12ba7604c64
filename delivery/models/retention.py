"""Rows of retention: the archives of deleted rows, and the lease of the nightly work."""

from __future__ import annotations

from django.db import models


class Archive(models.Model):
    """A file of rows that were deleted. The deletion of rows writes this row in its transaction.

    So the row tells after a crash how much of an unfinished file belongs to deleted rows.
    """

    name = models.CharField(max_length=100, unique=True)
    """The name of the file in the folder of the archives."""
    bytes = models.BigIntegerField(default=0)
    """The length of the file up to the last deleted row."""
    rows = models.BigIntegerField(default=0)
    begun_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.rows} rows"


class NightlyRun(models.Model):
    """The work of the night: the lease of the worker that does it, and the last time it was done."""

    name = models.CharField(max_length=20, unique=True)
    worker = models.CharField(max_length=100, blank=True)
    """The host and the process that hold the lease, or held it last."""
    lease_until = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField()
    """The begin of the last run that ended well; at first, the moment of the first look."""

    def __str__(self) -> str:
        return f"{self.name}, done {self.done_at:%Y-%m-%d %H:%M}"
