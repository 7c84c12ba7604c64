"""Churches, their people and their numbers in the Django admin: for superusers alone."""

from koinonia.admin import churches, keywords, site, users

__all__ = ["churches", "keywords", "site", "users"]
