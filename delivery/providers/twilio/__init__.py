"""Twilio Programmable Messaging: the provider, and a simulator of it."""
