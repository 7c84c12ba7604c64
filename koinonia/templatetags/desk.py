"""``{% desk %}``: the parts of the support desk on the first page of the admin."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from koinonia.desk import landing

register = template.Library()


@register.inclusion_tag("koinonia/desk/_desk.html", takes_context=True)
def desk(context: template.RequestContext) -> dict[str, Any]:
    """Show the desk to a user who may see it; to others nothing."""
    return landing.context(context["request"].user, timezone.now())
