"""Broadcasts, one text to many members: audience, rendering, sending, progress."""
