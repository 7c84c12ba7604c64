"""Lists: detail records (with their legacy terms) and opt-outs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from delivery.providers.simulator.server import Answer, json_answer
from delivery.providers.telnyx.simulator.answers import RefusedError
from delivery.providers.telnyx.simulator.messages import Message, Messages, parse, timestamp
from delivery.providers.telnyx.simulator.opt_outs import OptOuts

_LARGEST_PAGE = 50
_LEGACY = {
    "delivery_unconfirmed": "dlr_unconfirmed",
    "sending_failed": "gw_reject",
    "delivery_failed": "failed",
}
_NOT_YET = frozenset({"queued", "scheduled", "cancelled"})


def detail_records(messages: Messages, parameters: dict[str, str]) -> Answer:
    if parameters.get("filter[record_type]") != "messaging":
        raise RefusedError("10004", "'filter[record_type]' must be messaging.")
    chosen = [_record(message) for message in messages.all() if _matches(message, parameters)]
    return _page(chosen, parameters)


def opt_out_records(opt_outs: OptOuts, parameters: dict[str, str]) -> Answer:
    wanted = {
        name: parameters[f"filter[{name}]"]
        for name in ("from", "messaging_profile_id")
        if f"filter[{name}]" in parameters
    }
    chosen = [entry for entry in opt_outs.all() if wanted.items() <= entry.items()]
    return _page(chosen, parameters)


def _matches(message: Message, parameters: dict[str, str]) -> bool:
    since = parameters.get("filter[created_at][gte]")
    return (
        message.direction == parameters.get("filter[direction]", message.direction)
        and message.status not in _NOT_YET
        and parameters.get("filter[cld]", message.to) == message.to
        and parameters.get("filter[cli]", message.from_) == message.from_
        and (since is None or message.received_at >= _time(since))
    )


def _time(text: str) -> datetime:
    try:
        # Return the number; a plus sign without percent-encoding arrives as a space.
        return parse(text.replace(" ", "+"))
    except ValueError as error:
        raise RefusedError("10033", "'filter[created_at][gte]' is no date-time.") from error


def _record(message: Message) -> dict[str, Any]:
    return {
        "record_type": "message_detail_record",
        "uuid": message.id,
        "cld": message.to,
        "cli": message.from_,
        "created_at": timestamp(message.received_at),
        "direction": message.direction,
        "message_type": message.type,
        "sent_at": timestamp(message.sent_at) if message.sent_at else None,
        "completed_at": timestamp(message.completed_at) if message.completed_at else None,
        "status": _LEGACY.get(message.status, message.status),
        "errors": [error["code"] for error in message.errors],
        "parts": message.parts,
        "delivery_status_webhook_url": message.webhook_url or None,
    }


def _page(entries: list[dict[str, Any]], parameters: dict[str, str]) -> Answer:
    number = _number(parameters, "page[number]", 1)
    size = min(_number(parameters, "page[size]", 20), _LARGEST_PAGE)
    start = (number - 1) * size
    meta = {
        "page_number": number,
        "page_size": size,
        "total_pages": -(-len(entries) // size),
        "total_results": len(entries),
    }
    return json_answer({"data": entries[start : start + size], "meta": meta})


def _number(parameters: dict[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise RefusedError("10033", f"'{name}' must be a positive whole number.")
    return int(text)
