"""The search of conversations: by a person's name, by digits of the number, and by words of the texts."""

from __future__ import annotations

from typing import Any, cast

from django.db import connection
from django.db.models import Q

from delivery.models import Message
from koinonia.any_spelling import pattern_of
from koinonia.models import Church, Member
from koinonia.people.search import matching
from koinonia.typed_numbers import digits_in, other_forms

TEXTS_SEARCHED = 10_000
"""The newest texts of a church in which words are looked for: no index holds their words."""
_MOST_FOUND = 500
"""Conversations that a search by words may find."""
_FEWEST_DIGITS = 3
_WITH_WORDS = """
    SELECT DISTINCT thread FROM (
        SELECT thread, batch, text FROM {table} WHERE tenant_id = %s
        ORDER BY created_at DESC, id DESC LIMIT %s
    ) AS newest
    WHERE batch IS NULL AND thread IS NOT NULL AND {contains} LIMIT %s
"""
"""One pass over the newest texts. The ORM would look each of them up again by its key."""


def found(church: Church, words: str) -> Q:
    """Return the condition: person, number or texts of the conversation contain ``words``."""
    condition = Q(pk__in=_threads_with(church, words.strip()))
    people = Member.objects.filter(matching(words, church.country), church=church)
    condition |= Q(phone__in=people.values("phone"))
    digits = digits_in(words)
    if len(digits) >= _FEWEST_DIGITS:
        condition |= Q(phone__contains=digits)
    if others := other_forms(words, church.country):
        condition |= others
    return condition


def _threads_with(church: Church, words: str) -> list[int]:
    """Return the conversations with single texts that contain ``words`` in any spelling."""
    pattern = pattern_of(words)
    if not pattern:
        return []
    column = connection.ops.lookup_cast("regex") % "text"
    statement = _WITH_WORDS.format(
        table=connection.ops.quote_name(Message._meta.db_table),
        # Each backend has the attribute; the stubs lack it.
        contains=f"{column} {cast(Any, connection).operators['regex']}",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [church.pk, TEXTS_SEARCHED, pattern, _MOST_FOUND])
        return [thread for (thread,) in cursor.fetchall()]
