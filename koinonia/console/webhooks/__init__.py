"""The webhooks of a church: list, add, change, deliveries, test, secret. For owners."""
