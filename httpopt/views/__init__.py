"""What a DRF view takes on by one base class and one line each."""

from __future__ import annotations

from httpopt.cache import PRIVATE, CachePolicy
from httpopt.views.cached import CachePolicyMixin
from httpopt.views.if_match import IfMatchMixin
from httpopt.views.sparse import SparseFieldsMixin
from httpopt.views.versioned import VersionedViewMixin

__all__ = [
    "PRIVATE",
    "CachePolicy",
    "CachePolicyMixin",
    "IfMatchMixin",
    "SparseFieldsMixin",
    "VersionedViewMixin",
]
