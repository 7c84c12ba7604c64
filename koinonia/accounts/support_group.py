"""The user group ``Support``: it manages delivery for all churches without access to members."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

SUPPORT = "Support"

RIGHTS: dict[str, tuple[str, ...]] = {
    "delivery.accounthold": ("view", "change"),
    "delivery.attempt": ("view",),
    "delivery.breakertransition": ("view", "change"),
    "delivery.deadletter": ("view", "change"),
    "delivery.deadletteraction": ("view",),
    "delivery.forcedbreaker": ("view", "add", "change", "delete"),
    "delivery.message": ("find", "reveal"),
    "delivery.optout": ("view",),
    "delivery.retryrun": ("view",),
    "delivery.slowdown": ("view", "add", "change"),
    "delivery.spendlimit": ("view", "add", "change"),
    "delivery.tenantstop": ("view", "add", "change"),
    "delivery.webhookevent": ("view", "change"),
    "koinonia.alert": ("view",),
    "throttling.allowance": ("view", "add", "change", "delete"),
    "throttling.throttlestate": ("view", "change"),
}
"""Model to actions. A model that does not exist is skipped."""
_APPS = {model.partition(".")[0] for model in RIGHTS}


def grant(sender: AppConfig, **_kwargs: Any) -> None:
    """Receive ``post_migrate``: create the group and add the permissions of all existing models."""
    if sender.label not in _APPS:
        return
    wanted = Q()
    for model, actions in RIGHTS.items():
        app_label, name = model.split(".")
        codenames = [f"{action}_{name}" for action in actions]
        wanted |= Q(content_type__app_label=app_label, codename__in=codenames)
    group, _ = Group.objects.get_or_create(name=SUPPORT)
    group.permissions.add(*Permission.objects.filter(wanted))
