from __future__ import annotations

from httpopt.versions.tracked import Tracked
from tests.httpopt.alone.library.models import Author, Book, Subject

TRACKED = [
    Tracked(Author, "authors", tenant="library"),
    Tracked(Book, "books", tenant="library", item_version="version"),
    Tracked(Subject, "subjects", tenant="library"),
    Tracked(Book.subjects.through, "books", tenant="book__library", touches="book"),
]
