"""Broadcasts that repeat: the rule, the occurrences, and the changes by people."""
