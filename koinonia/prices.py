"""The price of a part of a text."""

from __future__ import annotations

from decimal import Decimal

from delivery import conf
from koinonia.models import Church


def part_price(church: Church) -> Decimal | None:
    """Return the price of one part for the church, by default that of the installation; None: unknown."""
    return conf.part_price() if church.part_price is None else church.part_price
