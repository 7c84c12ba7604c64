"""Which of two reports is the better knowledge. Webhooks come late, twice and in any order.

A report counts by its rank first, then by when it happened: so the last word is the same in
whatever order the reports arrive.
"""

from __future__ import annotations

from delivery.models import Message
from delivery.statuses import UNFINISHED, Status
from delivery.tracking.report import StatusReport

RANKS = {
    Status.ACCEPTED: 1,
    Status.SENT: 2,
    Status.UNCONFIRMED: 3,
    Status.FAILED: 3,
    Status.DELIVERED: 4,
}
"""Everything else is ours, and ranks below all that the provider says: it has the text."""


def rank(status: str) -> int:
    return RANKS.get(Status(status), 0)


def may_be_of_another_send(report: StatusReport, message: Message) -> bool:
    """Whether nobody can tell yet which send of ``message`` the report speaks of.

    A person has ordered one more, and that has no id of its own so far. News of the first must not end
    it; but if the text is said to have arrived, no second one is needed.
    """
    return (
        message.generation > 1
        and message.provider_id is None
        and message.status in UNFINISHED
        and report.status != Status.DELIVERED
    )


def supersedes(report: StatusReport, message: Message) -> bool:
    """Whether ``message`` is to be moved to what ``report`` says."""
    if _of_an_earlier_send(report, message):
        # It reached the phone, whatever becomes of the second one.
        return report.status == Status.DELIVERED != message.status
    mine, known = rank(report.status), rank(message.status)
    if mine != known:
        return mine > known
    return report.status != message.status and _newer(report, message)


def says_again(report: StatusReport, message: Message) -> bool:
    """Whether it is what is known, of a later moment: what was said in between is over too."""
    known_at = message.provider_status_at
    return (
        report.status == message.status
        and not _of_an_earlier_send(report, message)
        and (known_at is None or report.at > known_at)
    )


def _of_an_earlier_send(report: StatusReport, message: Message) -> bool:
    return message.provider_id is not None and message.provider_id != report.provider_id


def _newer(report: StatusReport, message: Message) -> bool:
    if message.provider_status_at is None or report.at == message.provider_status_at:
        return report.status == Status.FAILED
    return report.at > message.provider_status_at
