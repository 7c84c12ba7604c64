"""The guarantees, computed from the carrier's ledger and from what the clients saw."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.cluster.record import Admission


@dataclass(frozen=True)
class Judgement:
    """Texts that were lost or sent twice; ``examples`` names some."""

    lost: int
    doubled: int
    examples: list[str] = field(default_factory=list)


def of_texts(promised: Mapping[str, int], ledger: Iterable[tuple[str, str]]) -> Judgement:
    """Compare accepted texts with the ledger's pairs of recipient and text.

    A text in the ledger that was not promised is no fault: its client gave up before the answer.
    """
    sent = Counter(ledger)
    recipients = Counter(text for _, text in sent)
    lost = {text: count - recipients[text] for text, count in promised.items()}
    doubled = {text: count - 1 for (_, text), count in sent.items() if count > 1}
    examples = [f"lost: {text} ({count})" for text, count in lost.items() if count > 0]
    examples += [f"doubled: {text} ({count})" for text, count in doubled.items()]
    return Judgement(
        sum(count for count in lost.values() if count > 0), sum(doubled.values()), examples[:10]
    )


def wrongly_admitted(
    admitted: Sequence[Admission], burst: int, per_second: float, refilled: Sequence[float] = ()
) -> int:
    """Return by how many requests the bucket was exceeded in the worst interval.

    From the first request of an interval to the answer to its last one, a bucket admits at most its
    burst and what flows in meanwhile. A store that came back empty has refilled the bucket, so no
    interval spans a time in ``refilled``.
    """
    worst = 0
    for begin, end in zip([0.0, *refilled], [*refilled, math.inf], strict=True):
        part = [one for one in admitted if begin <= one.sent < end]
        worst = max(worst, _excess(part, burst, per_second))
    return worst


def _excess(admitted: Sequence[Admission], burst: int, per_second: float) -> int:
    best_start = -math.inf
    worst = 0.0
    for number, one in enumerate(admitted):
        best_start = max(best_start, per_second * one.sent - number)
        worst = max(worst, number + 1 - per_second * one.answered + best_start - burst)
    # A sum of floats may exceed a whole number by its last digit.
    return max(0, math.ceil(worst - 1e-3))
