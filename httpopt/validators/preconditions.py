"""The order and meaning of preconditions (RFC 9110, section 13.2.2).

Nothing here has a modification date, so If-Modified-Since, If-Unmodified-Since and If-Range do not
apply: a recipient without one ignores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from httpopt.validators.etags import ANY, ETag, MalformedTagsError, Tags, parse_tags


class Verdict(Enum):
    PROCEED = auto()
    NOT_MODIFIED = auto()
    FAILED = auto()
    ANYTHING_WOULD_DO = auto()
    """``If-None-Match: *``: 304 if there turns out to be something."""


def judge_read(headers: Mapping[str, str], current: ETag) -> Verdict:
    """A GET or HEAD of what ``current`` is the tag of. Raises MalformedTagsError for If-Match."""
    wanted = headers.get("If-Match")
    if wanted is not None and not _holds(parse_tags(wanted), current):
        return Verdict.FAILED
    unwanted = if_none_match(headers)
    if unwanted == ANY:
        return Verdict.ANYTHING_WOULD_DO
    if any(current.is_weakly(tag) for tag in unwanted if isinstance(tag, ETag)):
        return Verdict.NOT_MODIFIED
    return Verdict.PROCEED


def if_none_match(headers: Mapping[str, str]) -> Tags:
    """Its tags; none where it is missing or malformed: then the answer is simply sent."""
    value = headers.get("If-None-Match")
    if value is None:
        return ()
    try:
        return parse_tags(value)
    except MalformedTagsError:
        return ()


def _holds(tags: Tags, current: ETag) -> bool:
    if isinstance(tags, str):
        return True
    # Not the strong comparison of RFC 9110, 13.1.1: the tag is ours, and only a proxy weakens it.
    return any(current.is_weakly(tag) for tag in tags)
