from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import post_delete, post_save


class ThrottlingConfig(AppConfig):
    name = "throttling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks and connect the signal receivers."""
        from throttling import allowlist, checks, logins  # noqa: F401  # checks register themselves
        from throttling.models import Allowance

        for signal in (post_save, post_delete):
            signal.connect(
                allowlist.announce_after_commit,
                sender=Allowance,
                dispatch_uid=f"throttling.announce.{id(signal)}",
            )
        user_logged_in.connect(logins.note_success, dispatch_uid="throttling.note_success")
        user_login_failed.connect(logins.note_failure, dispatch_uid="throttling.note_failure")
