"""``{% delivery_desk %}``: the figures of delivery, for the first page of a host's admin."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from delivery.dead_letters import care
from delivery.desk import overview

register = template.Library()


@register.inclusion_tag("delivery/desk/_parts.html", takes_context=True)
def delivery_desk(context: template.RequestContext) -> dict[str, Any]:
    """Show the figures to a user with the right to see the breaker."""
    return desk_context(context["request"].user)


def desk_context(user: Any) -> dict[str, Any]:
    """Return the context of the parts."""
    if not user.has_perm("delivery.view_breakertransition"):
        return {"desk": None}
    return {
        "desk": overview.kept.get(timezone.now()),
        "may_order": user.has_perm("delivery.change_breakertransition"),
        "may_see_letters": user.has_perm("delivery.view_deadletter"),
        "mine": care.waiting_for(user),
        "may_end_slowdown": user.has_perm("delivery.change_slowdown"),
        "may_see_slowdowns": user.has_perm("delivery.view_slowdown"),
        "may_see_stops": user.has_perm("delivery.view_tenantstop"),
        "may_see_webhooks": user.has_perm("delivery.view_webhookevent"),
        "may_slow": user.has_perm("delivery.add_slowdown"),
        "may_stop": user.has_perm("delivery.add_tenantstop"),
    }
