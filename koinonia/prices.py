"""What a part of a text costs a church."""

from __future__ import annotations

from decimal import Decimal

from delivery import conf
from koinonia.models import Church


def part_price(church: Church) -> Decimal | None:
    """Return the church's price of one part, else that of the installation; None: unknown."""
    return conf.part_price() if church.part_price is None else church.part_price
