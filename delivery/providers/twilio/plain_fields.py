"""Fields of Twilio's webhooks whose values say nothing about a person."""

from __future__ import annotations

PLAIN_FIELDS = frozenset({
    "MessageSid", "SmsSid", "SmsMessageSid", "AccountSid", "MessagingServiceSid", "MessageStatus",
    "SmsStatus", "ErrorCode", "ErrorMessage", "ApiVersion", "NumSegments", "NumMedia",
    "RawDlrDoneDate", "OptOutType", "ToCountry", "FromCountry",
})  # fmt: skip
