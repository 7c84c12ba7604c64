"""Numbers in the notation of Mexico and the United States. Django has the notation of Spain."""

from __future__ import annotations

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
