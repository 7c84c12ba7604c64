from __future__ import annotations

from django.db import models


class Library(models.Model):
    """The tenant."""

    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    library = models.ForeignKey(Library, models.CASCADE, related_name="authors")
    first_name = models.CharField(max_length=50)
    last_name = models.CharField(max_length=50)
    notes = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Subject(models.Model):
    library = models.ForeignKey(Library, models.CASCADE, related_name="subjects")
    name = models.CharField(max_length=50)
    notes = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    library = models.ForeignKey(Library, models.CASCADE, related_name="books")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    pages = models.IntegerField(default=100)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    extra = models.JSONField(default=dict)
    author = models.ForeignKey(Author, models.CASCADE, null=True, related_name="books")
    subjects = models.ManyToManyField(Subject, related_name="books")
    added = models.DateTimeField(auto_now_add=True)
    version = models.BigIntegerField(default=1, editable=False)

    def __str__(self) -> str:
        return self.title
