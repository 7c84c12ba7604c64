"""Invitations to a church's staff: nobody is put into a church, a person accepts.

An invitation by user name is bound to the user who has that name now; one by e-mail to whoever holds
the link that was mailed. The answer to the inviter is the same whether the name or the address
belongs to anybody.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from koinonia import ids
from koinonia.models import Church, Invitation, Role, Staff

LIFE = timedelta(days=7)
MOST_OPEN = 25
"""Invitations of one church that may be open at once."""

MOST_SHOWN = 50
"""Invitations that one user is shown at once: the newest."""


class TooManyInvitationsError(Exception):
    """The church has as many open invitations as one may have."""


def invite(
    church: Church,
    *,
    email: str = "",
    username: str = "",
    role: str,
    invited_by: User | None,
    by_operator: bool = False,
    now: datetime,
) -> tuple[Invitation, str]:
    """Make an invitation; return it and the token of its link (for one by e-mail).

    The same name or address again takes the place of the earlier invitation, whose link ends.
    Raises TooManyInvitationsError.
    """
    email = email.strip().lower()
    username = User.normalize_username(username)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        # In order, so that two requests cannot both take the last place.
        list(Church.objects.filter(pk=church.pk).select_for_update(of=("self",)).values("pk"))
        of_church = Invitation.objects.filter(church=church)
        of_church.filter(Q(expires_at__lte=now) | Q(email=email, username=username)).delete()
        if of_church.count() >= MOST_OPEN:
            raise TooManyInvitationsError
        # Asked for in either case, so that both take as long.
        named = User.objects.filter(username=username).first()
        invitation = Invitation.objects.create(
            church=church,
            role=role,
            email=email,
            username=username,
            user=named if username else None,
            token_digest=digest(token) if email else None,
            invited_by=invited_by,
            by_operator=by_operator,
            created_at=now,
            expires_at=now + LIFE,
        )
    return invitation, token


def withdraw(invitation: Invitation) -> bool:
    """Delete an invitation; False where it was accepted or replaced meanwhile."""
    rows = Invitation.objects.filter(pk=invitation.pk, created_at=invitation.created_at)
    return bool(rows.delete()[0])


def for_user(user: User, now: datetime) -> QuerySet[Invitation]:
    """Return the invitations that name this user."""
    found: QuerySet[Invitation] = _valid(now).filter(user=user).exclude(username="")
    return found.order_by("-created_at", "-pk")


def find(token: str, user: User | None, now: datetime) -> Invitation | None:
    """Return the invitation of ``token``: the token of a link, or the id of one that names ``user``."""
    valid = _valid(now)
    key = ids.decode(token)
    if key is not None:
        found: Invitation | None = valid.filter(pk=key, user=user).first() if user else None
        return found
    by_link: Invitation | None = valid.filter(token_digest=digest(token)).first()
    return by_link


def accept(invitation: Invitation, user: User, now: datetime) -> Staff | None:
    """Make ``user`` staff; None where the invitation is no longer valid.

    It can be used once. Whoever is staff of the church already keeps the present role. The address
    of the invitation is not written into an account that exists: the link may have been passed on,
    and whoever has an account's address can reset its password.
    """
    with transaction.atomic():
        rows = _valid(now).filter(pk=invitation.pk, created_at=invitation.created_at)
        # The owner who invited must not resign between the look and the insert.
        list(Church.objects.filter(pk=invitation.church_id).select_for_update().values("pk"))
        if not Invitation.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).delete()[
            0
        ]:
            return None
        place, _ = Staff.objects.get_or_create(
            church_id=invitation.church_id, user=user, defaults={"role": invitation.role}
        )
    return place


def digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _valid(now: datetime) -> QuerySet[Invitation]:
    """Return the unexpired ones by the operator, or by somebody who is still an owner and not disabled."""
    owner = Staff.objects.filter(
        church=OuterRef("church"),
        user=OuterRef("invited_by"),
        user__is_active=True,
        role=Role.OWNER,
    )
    found: QuerySet[Invitation] = Invitation.objects.filter(
        Q(by_operator=True) | Exists(owner), expires_at__gt=now
    ).select_related("church", "invited_by")
    return found
