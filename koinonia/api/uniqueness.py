from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from rest_framework.exceptions import ValidationError


@contextmanager
def taken_as_error(**sentences: str) -> Iterator[None]:
    """The database's "not unique" as bad input of the field that is named, all or nothing.

    Asking first would leave a race between two requests.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError({name: [told] for name, told in sentences.items()}) from error
