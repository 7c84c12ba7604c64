"""The support desk: the first page of the admin, and the pages that need more than one app."""

from __future__ import annotations
