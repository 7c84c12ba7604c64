"""A stored event as support may see it: without words, names, places and whole numbers.

The fields are listed that say nothing about a person. Any other value is hidden, so that a field that a
provider adds tomorrow is hidden too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from delivery.dead_letters.queue import masked

_SHOWN = frozenset({
    # Telnyx
    "id", "event_type", "record_type", "occurred_at", "received_at", "sent_at", "completed_at",
    "valid_until", "direction", "status", "type", "encoding", "parts", "carrier", "line_type", "code",
    "title", "detail", "amount", "currency", "messaging_profile_id", "organization_id", "webhook_url",
    "webhook_failover_url", "autoresponse_type", "content_type", "size", "agent_id", "is_spam",
    "tcr_campaign_id", "tcr_campaign_billable", "tcr_campaign_registered", "attempt",
    # Twilio
    "MessageSid", "SmsSid", "SmsMessageSid", "AccountSid", "MessagingServiceSid", "MessageStatus",
    "SmsStatus", "ErrorCode", "ErrorMessage", "ApiVersion", "NumSegments", "NumMedia",
    "RawDlrDoneDate", "OptOutType", "ToCountry", "FromCountry",
})  # fmt: skip
_NUMBERS = frozenset({"phone_number", "from", "to", "From", "To"})
_NUMBER = re.compile(r"\+?\d[\d ().-]{6,}\d")
_LONGEST_VALUE, _LONGEST_DOCUMENT = 300, 20_000
_DEEPEST, _MOST_ITEMS = 12, 50


def redacted(payload: Any) -> str:
    """Return the payload as indented JSON, with numbers masked and other personal values hidden."""
    shown = json.dumps(_shown(payload, "", _DEEPEST), indent=2, ensure_ascii=False)
    if len(shown) <= _LONGEST_DOCUMENT:
        return shown
    return f"{shown[:_LONGEST_DOCUMENT]}\n… cut: {len(shown) - _LONGEST_DOCUMENT} characters more"


def _shown(value: Any, name: str, depth: int) -> Any:
    if isinstance(value, dict | list) and depth == 0:
        return "[nested too deeply]"
    if isinstance(value, dict):
        items = list(value.items())[:_MOST_ITEMS]
        return {key[:64]: _shown(one, key, depth - 1) for key, one in items}
    if isinstance(value, list):
        return [_shown(one, name, depth - 1) for one in value[:_MOST_ITEMS]]
    if value is None or value == "":
        return value
    if name in _NUMBERS:
        return masked(str(value))
    if name not in _SHOWN:
        return f"[hidden: {len(str(value))} characters]"
    return _scrubbed(value) if isinstance(value, str) else value


def _scrubbed(value: str) -> str:
    """Mask numbers that an error quotes in its sentence."""
    cut = value[:_LONGEST_VALUE]
    is_a_sentence = " " in cut or cut.startswith("+")
    return _NUMBER.sub(lambda found: masked(found[0]), cut) if is_a_sentence else cut
