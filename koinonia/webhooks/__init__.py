"""Outgoing webhooks: each church's events, signed and posted to the addresses that its owners chose."""
