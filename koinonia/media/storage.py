"""Uploaded files: stored once per church, bounded, and deleted some time after the last use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Case, F, QuerySet, Sum, Value, When
from django.utils.translation import gettext as _

from delivery.accept import UnacceptableError
from koinonia import audit
from koinonia.media.kinds import UnusableKindError, ending_of, kind_of
from koinonia.models import Attachment, Church
from koinonia.names import tidy

MAX_BYTES = 1_000_000
"""The limit of carriers for one file."""
MAX_CHURCH_BYTES = 100_000_000
"""The limit for all files of one church."""
KEPT_UNUSED = timedelta(days=2)
KEPT_AFTER_USE = timedelta(days=90)
_NAME_LENGTH = 100


def store(
    church: Church, upload: BinaryIO, name: str, *, author: User, now: datetime
) -> Attachment:
    """Store an upload and return it; the same file again returns the stored one.

    Raise ``UnacceptableError`` with the field ``file``.
    """
    content = upload.read(MAX_BYTES + 1)
    if not content:
        raise UnacceptableError("file", _("This file is empty."))
    if len(content) > MAX_BYTES:
        raise UnacceptableError(
            "file",
            _("This file is larger than 1 MB, which carriers refuse. Make the picture smaller."),
        )
    try:
        kind = kind_of(content)
    except UnusableKindError as error:
        raise UnacceptableError("file", str(error)) from error
    digest = hashlib.sha256(content).hexdigest()
    known = Attachment.objects.filter(church=church, digest=digest)
    if found := _kept(known, now + KEPT_UNUSED):
        return found
    stored = Attachment.objects.filter(church=church).aggregate(bytes=Sum("size"))["bytes"] or 0
    if stored + len(content) > MAX_CHURCH_BYTES:
        raise UnacceptableError(
            "file",
            _(
                "Your church has stored 100 MB of files, the most there is. Files that are no longer used go by themselves; use a link instead."
            ),
        )
    try:
        with transaction.atomic():
            made = Attachment.objects.create(
                church=church,
                name=tidy(name)[-_NAME_LENGTH:] or f"file.{kind.ending}",
                kind=kind.media_type,
                size=len(content),
                digest=digest,
                content=content,
                author=author,
                created_at=now,
                keep_until=now + KEPT_UNUSED,
            )
            audit.record(church, author, "media.uploaded", made, {"bytes": made.size}, now=now)
            return made
    except IntegrityError:
        # Return the row of a concurrent request with the same file.
        return known.defer("content").get()


def url_of(attachment: Attachment) -> str:
    """Return the URL that the provider fetches."""
    return f"{_prefix()}{attachment.token}.{ending_of(attachment.kind)}"


def keep_used(church: Church, urls: Sequence[str], *, due: datetime) -> None:
    """Keep the uploaded files among ``urls`` for 90 days after ``due``.

    Raise ``UnacceptableError`` if the church does not have a file.
    """
    tokens = {token for url in urls if (token := _token_in(url))}
    if not tokens:
        return
    until = due + KEPT_AFTER_USE
    mine = Attachment.objects.filter(church=church, token__in=tokens)
    # A single statement cannot count a file that the nightly deletion takes.
    if mine.update(keep_until=_later(until)) < len(tokens):
        raise UnacceptableError("media_urls", _("This file is no longer stored. Upload it again."))


def prunable(now: datetime) -> QuerySet[Attachment]:
    """Return the files that may be deleted."""
    return Attachment.objects.filter(keep_until__lte=now).defer("content")


def _kept(known: QuerySet[Attachment], until: datetime) -> Attachment | None:
    if not known.update(keep_until=_later(until)):
        return None
    return known.defer("content").first()


def _later(until: datetime) -> Case:
    return Case(When(keep_until__lt=until, then=Value(until)), default=F("keep_until"))


def _prefix() -> str:
    return f"{settings.PUBLIC_URL}/media/"


def _token_in(url: str) -> str:
    prefix = _prefix()
    return url.removeprefix(prefix).partition(".")[0] if url.startswith(prefix) else ""
