"""Churches, their people and their numbers in the Django admin: for superusers alone."""

from koinonia.admin import churches, site, users

__all__ = ["churches", "site", "users"]
