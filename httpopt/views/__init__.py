"""The mixins for DRF views; each costs a base class and a few lines."""

from __future__ import annotations

from httpopt.cache import PRIVATE, CachePolicy
from httpopt.views.if_match import IfMatchMixin
from httpopt.views.sparse import SparseFieldsMixin
from httpopt.views.versioned import CachePolicyMixin, VersionedViewMixin

__all__ = [
    "PRIVATE",
    "CachePolicy",
    "CachePolicyMixin",
    "IfMatchMixin",
    "SparseFieldsMixin",
    "VersionedViewMixin",
]
