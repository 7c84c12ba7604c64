"""Churches, their people and their numbers in the Django admin: for superusers alone; and alerts."""

from koinonia.admin import alerts, churches, keywords, site, users

__all__ = ["alerts", "churches", "keywords", "site", "users"]
