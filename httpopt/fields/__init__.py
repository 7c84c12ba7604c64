"""Sparse fields: ``?fields=id,member.name`` or ``?fields=id,member(name)``."""

from __future__ import annotations

from httpopt.fields.read_set import Computed

__all__ = ["Computed"]
