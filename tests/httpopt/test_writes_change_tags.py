"""Every kind of write changes the tag of every answer that it changes, in one church only."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as law
from hypothesis import strategies as st

from delivery.models import (
    Attempt,
    Message,
    OptOut,
    SpendLimit,
)
from koinonia.models import (
    Attachment,
    Broadcast,
    Church,
    Conversation,
    Group,
    Keyword,
    Member,
    Note,
    Role,
    Staff,
    TextTemplate,
    WebhookCursor,
    WebhookEndpoint,
)
from tests.httpopt.church_data import NOW, answers, make_message
from tests.support import cast


def _raw_sql(church: Church) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_message SET status = 'delivered' WHERE tenant_id = %s", [church.pk]
        )


def _rolled_back(church: Church) -> None:
    with transaction.atomic():
        Message.objects.filter(tenant=church).update(text="Never")
        transaction.set_rollback(True)


def _bulk_update(church: Church) -> None:
    messages = list(Message.objects.filter(tenant=church))
    for message in messages:
        message.parts += 1
    Message.objects.bulk_update(messages, ["parts"])


def _bulk_create(church: Church) -> None:
    Member.objects.bulk_create(
        [Member(church=church, first_name=f"B{n}", phone=f"+1312556{n:04}") for n in range(3)],
        ignore_conflicts=True,
    )


def _broadcast(church: Church) -> Broadcast:
    return Broadcast.objects.filter(church=church).earliest("pk")


def _groups(church: Church) -> Any:
    return Group.objects.filter(church=church)


def _members(church: Church) -> Any:
    return Member.objects.filter(church=church)


def _add_opt_out(church: Church) -> None:
    member = _members(church).latest("pk")
    OptOut.objects.get_or_create(
        tenant=church, number=member.phone, defaults={"source": "keyword", "created_at": NOW}
    )


def _add_to_group(church: Church) -> None:
    _members(church).latest("pk").groups.add(Group.objects.create(church=church, name=new_name()))


_names = iter(range(1_000_000))


def new_name() -> str:
    return f"Name {next(_names)}"


Write = Callable[[Church], object]
WRITES: dict[str, Write] = {
    "a message": make_message,
    "a message, saved": lambda church: Message.objects.filter(tenant=church).earliest("pk").save(),
    "messages, updated": lambda church: Message.objects.filter(tenant=church).update(text=new_name()),
    "messages, bulk_update": _bulk_update,
    "messages, raw SQL": _raw_sql,
    "messages, rolled back": _rolled_back,
    "messages, deleted": lambda church: Message.objects.filter(
        tenant=church, batch__isnull=True
    ).order_by("-pk")[0].delete(),
    "a message of a broadcast": lambda church: make_message(church, batch=_broadcast(church).pk,
                                                       to_number=f"+1{next(_names):010}"),
    "an attempt": lambda church: Attempt.objects.filter(message__tenant=church).update(
        duration_ms=F("duration_ms") + 1
    ),
    "members, bulk_create": _bulk_create,
    "members, updated": lambda church: _members(church).update(first_name=new_name()),
    "a member, saved": lambda church: _members(church).earliest("pk").save(),
    "a member, deleted": lambda church: _members(church).latest("pk").delete(),
    "a member joins a group": _add_to_group,
    "a group loses its members": lambda church: _groups(church).earliest("pk").members.clear(),
    "groups, renamed": lambda church: [
        _groups(church).filter(pk=group.pk).update(name=new_name()) for group in _groups(church)
    ],
    "an opt-out": _add_opt_out,
    "keywords, updated": lambda church: Keyword.objects.filter(church=church).update(
        answer=new_name()
    ),
    "a cap of the church": lambda church: SpendLimit.objects.update_or_create(
        tenant=church, defaults={"own_cap": 1000 + next(_names)}
    ),
    "opt-outs, deleted": lambda church: OptOut.objects.filter(tenant=church).delete(),
    "a broadcast, cancelled": lambda church: Broadcast.objects.filter(church=church).update(
        cancelled_at=NOW + timedelta(seconds=next(_names))
    ),
    "conversations, read": lambda church: Conversation.objects.filter(church=church).update(
        unread_count=F("unread_count") + 1
    ),
    "conversations, assigned": lambda church: Conversation.objects.filter(church=church).update(
        assigned_to=Staff.objects.filter(church=church).earliest("pk")
    ),
    "notes, changed": lambda church: Note.objects.filter(church=church).update(text=new_name()),
    "the church, renamed": lambda church: Church.objects.filter(pk=church.pk).update(
        name=new_name()
    ),
    "templates, updated": lambda church: TextTemplate.objects.filter(church=church).update(
        text=new_name()
    ),
    "an upload, renamed": lambda church: Attachment.objects.filter(church=church).update(
        name=new_name()
    ),
    "webhooks, renamed": lambda church: WebhookEndpoint.objects.filter(church=church).update(
        name=new_name()
    ),
    "a webhook that fails": lambda church: WebhookCursor.objects.filter(
        endpoint__church=church
    ).update(failing_since=NOW + timedelta(seconds=next(_names))),
    "a new membership": lambda church: Staff.objects.create(
        church=church, user=User.objects.create_user(new_name()), role=Role.VIEWER
    ),
}  # fmt: skip


@law(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    writes=st.lists(st.sampled_from(sorted(WRITES)), min_size=1, max_size=3), first=st.booleans()
)
@example(writes=["a cap of the church"], first=False)
def test_every_changed_answer_has_a_new_tag_and_other_churches_keep_theirs(
    two_churches: list[tuple[User, Church]], writes: list[str], first: bool
) -> None:
    (user, church), (other_user, other_church) = two_churches if first else two_churches[::-1]
    with transaction.atomic():
        before, theirs = answers(user, church), answers(other_user, other_church)
        for write in writes:
            WRITES[write](church)
        after = answers(user, church)
        for path in before.keys() & after.keys():
            if before[path][1] != after[path][1]:
                assert before[path][0] != after[path][0], f"{path} is stale after {writes}"
        assert answers(other_user, other_church) == theirs
        transaction.set_rollback(True)


@pytest.mark.parametrize("write", sorted(WRITES))
def test_each_kind_of_write_changes_an_answer(
    two_churches: list[tuple[User, Church]], write: str
) -> None:
    """Check that each write has an effect; otherwise the test above proves nothing."""
    user, church = two_churches[0]
    if write == "opt-outs, deleted":
        _add_opt_out(church)
    before = answers(user, church)
    WRITES[write](church)
    after = answers(user, church)
    if write == "messages, rolled back":
        assert after == before
    elif "saved" in write:
        assert {tag for tag, _ in after.values()} != {tag for tag, _ in before.values()}
    else:
        assert [body for _, body in after.values()] != [body for _, body in before.values()]


def test_a_renamed_author_changes_the_tags_of_every_church_with_their_messages(
    two_churches: list[tuple[User, Church]],
) -> None:
    author, church = two_churches[0]
    reader = cast.staff(church, Role.VIEWER)
    Staff.objects.filter(user=author).delete()
    path = f"/api/v1/churches/{church.slug}/messages/"
    client = Client()
    client.force_login(reader)
    before = client.get(path)
    User.objects.filter(pk=author.pk).update(username="renamed")
    after = client.get(path, headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert "renamed" in json.dumps(after.json())


def test_a_login_changes_no_tag(two_churches: list[tuple[User, Church]]) -> None:
    user, church = two_churches[0]
    before = answers(user, church)
    Client().force_login(user)
    assert answers(user, church) == before
