"""The guarantees, computed from the carrier's ledger and from the clients' records."""

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


@dataclass(frozen=True)
class Excess:
    """By how many requests a bucket was exceeded, and in which time."""

    requests: int = 0
    begin: float = 0.0
    end: float = 0.0


def wrongly_admitted(
    admitted: Sequence[Admission],
    burst: int,
    per_second: float,
    *,
    away: Sequence[tuple[float, float]] = (),
    processes: int = 1,
) -> Excess:
    """Return by how many requests the bucket was exceeded in the worst interval.

    From the first request of an interval to the answer to its last one, a bucket admits at most its
    burst and what flows in meanwhile. While Redis is ``away``, each of the processes counts on its
    own (the policy's ``on_failure`` is ``local``), and afterwards the bucket may be full.
    """
    worst = Excess()
    end_of_last = 0.0
    for begin, end in [*away, (math.inf, math.inf)]:
        shared = [one for one in admitted if end_of_last <= one.sent < begin]
        own = [one for one in admitted if begin <= one.sent < end]
        for found in (
            _excess(shared, burst, per_second),
            _excess(own, processes * burst, processes * per_second),
        ):
            worst = max(worst, found, key=lambda one: one.requests)
        end_of_last = end
    return worst


def _excess(admitted: Sequence[Admission], burst: int, per_second: float) -> Excess:
    best_start, begin = -math.inf, 0.0
    worst = Excess()
    for number, one in enumerate(admitted):
        start = per_second * one.sent - number
        if start > best_start:
            best_start, begin = start, one.sent
        # A sum of floats may exceed a whole number by its last digit.
        found = math.ceil(number + 1 - per_second * one.answered + best_start - burst - 1e-3)
        if found > worst.requests:
            worst = Excess(found, begin, one.answered)
    return worst
