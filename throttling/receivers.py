from __future__ import annotations

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import post_delete, post_save

from throttling import announcement, logins


def connect() -> None:
    from throttling.models import Allowance

    for signal in (post_save, post_delete):
        signal.connect(
            announcement.announce_after_commit,
            sender=Allowance,
            dispatch_uid=f"throttling.announce.{id(signal)}",
        )
    user_logged_in.connect(logins.note_login, dispatch_uid="throttling.note_login")
    user_login_failed.connect(logins.note_failure, dispatch_uid="throttling.note_failure")
