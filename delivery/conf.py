"""The ``DELIVERY`` settings dict, typed, read live.

``TENANT_MODEL`` and ``RECIPIENT_MODEL`` are the exception: models and migrations point at them, so
they are read once, at import, like ``AUTH_USER_MODEL``.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def _value(name: str, default: Any = None) -> Any:
    return getattr(settings, "DELIVERY", {}).get(name, default)


def model_label(name: str) -> str:
    """``DELIVERY[name]`` as ``app_label.Model``; raises ImproperlyConfigured where it is missing."""
    label = _value(name)
    if not isinstance(label, str) or label.count(".") != 1:
        raise ImproperlyConfigured(
            f"DELIVERY[{name!r}] must name a model as 'app_label.Model'; it is {label!r}."
        )
    return label


def tenant_model() -> str:
    return model_label("TENANT_MODEL")


def recipient_model() -> str:
    return model_label("RECIPIENT_MODEL")
