"""Invitations to a church's staff. An invited user joins only by accepting.

An invitation by user name is bound to the current user of that name; an invitation by e-mail is
bound to the mailed link. The answer to the inviter does not tell whether the name or the address
exists.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from koinonia import audit, ids
from koinonia.models import Church, Invitation, Role, Staff

LIFE = timedelta(days=7)
MAX_OPEN = 25
"""Limit of open invitations per church."""

MAX_SHOWN = 50
"""Limit of the invitations on a user's page; the newest are shown."""


class TooManyInvitationsError(Exception):
    """The church has ``MAX_OPEN`` open invitations already."""


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
    """Create an invitation; return it with the token of its link, which only an e-mail carries.

    A second invitation of the same name or address replaces the first one and its link.
    Raise TooManyInvitationsError at ``MAX_OPEN``.
    """
    email = email.strip().lower()
    username = User.normalize_username(username)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        # Lock the church: two concurrent requests must not both pass the limit.
        list(Church.objects.filter(pk=church.pk).select_for_update(of=("self",)).values("pk"))
        of_church = Invitation.objects.filter(church=church)
        of_church.filter(Q(expires_at__lte=now) | Q(email=email, username=username)).delete()
        if of_church.count() >= MAX_OPEN:
            raise TooManyInvitationsError
        # Query in either case, so that the response time does not tell which names exist.
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
    """Delete an invitation. Return False if it was accepted or replaced first."""
    rows = Invitation.objects.filter(pk=invitation.pk, created_at=invitation.created_at)
    return bool(rows.delete()[0])


def for_user(user: User, now: datetime) -> QuerySet[Invitation]:
    """Return the invitations that name this user."""
    found: QuerySet[Invitation] = _valid(now).filter(user=user).exclude(username="")
    return found.order_by("-created_at", "-pk")


def find(token: str, user: User | None, now: datetime) -> Invitation | None:
    """Return the valid invitation for ``token``: a link's token, or the id of an invitation that names
    ``user``."""
    valid = _valid(now)
    key = ids.decode(token)
    if key is not None:
        found: Invitation | None = valid.filter(pk=key, user=user).first() if user else None
        return found
    by_link: Invitation | None = valid.filter(token_digest=digest(token)).first()
    return by_link


def accept(invitation: Invitation, user: User, now: datetime) -> Staff | None:
    """Make ``user`` staff and return the membership; return None if the invitation is not valid.

    An invitation works once. Staff of the church keep their current role. An existing
    account does not get the invited e-mail address: the link can be forwarded, and the owner of an
    account's address can reset its password.
    """
    with transaction.atomic():
        rows = _valid(now).filter(pk=invitation.pk, created_at=invitation.created_at)
        # Lock the church: the inviting owner must not leave between this check and the insert.
        list(Church.objects.filter(pk=invitation.church_id).select_for_update().values("pk"))
        keys = list(rows.values_list("pk", flat=True))
        deleted, _ = Invitation.objects.filter(pk__in=keys).delete()
        if not deleted:
            return None
        membership, is_new = Staff.objects.get_or_create(
            church_id=invitation.church_id, user=user, defaults={"role": invitation.role}
        )
        if is_new:
            detail = {"role": membership.role}
            audit.record(membership.church, user, "staff.joined", membership, detail, now=now)
    return membership


def digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _valid(now: datetime) -> QuerySet[Invitation]:
    """Return unexpired invitations by the operator, or by a current, active owner."""
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
