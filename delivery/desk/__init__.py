"""The figures of the support desk about delivery. A host joins them on its page."""

from __future__ import annotations
