"""Sparse fields: ``?fields=id,member.name`` or ``?fields=id,member(name)``."""
