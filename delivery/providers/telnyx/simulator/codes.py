"""Telnyx's error codes: in answers to a POST, and in finalized events.

The statuses come from traffic or from the error pages; if none is published, the most likely one is
used.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    status: int
    """HTTP status of the answer; 0 for codes that appear only in webhooks."""
    title: str


SYNCHRONOUS = {
    "10002": Code(400, "Invalid phone number"),
    "10003": Code(400, "Invalid URL"),
    "10004": Code(400, "Missing required parameter"),
    "10005": Code(404, "Resource not found"),
    "10007": Code(500, "Unexpected error"),
    "10008": Code(408, "Request timeout"),
    "10009": Code(401, "Authentication failed"),
    "10010": Code(403, "Authorization failed"),
    "10011": Code(429, "Too many requests"),
    "10015": Code(400, "Bad request"),
    "10016": Code(400, "Phone number must be in +E.164 format"),
    "10023": Code(400, "Invalid JSON"),
    "10025": Code(422, "Invalid parameter type"),
    "10026": Code(422, "Parameter out of range"),
    "10027": Code(422, "Unprocessable entity"),
    "10032": Code(422, "Invalid enumerated value"),
    "10033": Code(422, "Invalid parameter value"),
    "10036": Code(409, "Resource is being processed"),
    "10037": Code(503, "Service unavailable"),
    "20002": Code(401, "API key revoked"),
    "20006": Code(401, "Expired access token"),
    "20008": Code(401, "Invalid access token"),
    "20012": Code(403, "Account inactive"),
    "20013": Code(403, "Account blocked"),
    "20014": Code(403, "Account unverified"),
    "20015": Code(403, "Account feature not permitted"),
    "20016": Code(403, "Account level too low"),
    "20017": Code(403, "Account address unverified"),
    "20100": Code(402, "Insufficient funds"),
    "40300": Code(409, "Blocked due to STOP message"),
    "40301": Code(400, "Unsupported message type"),
    "40302": Code(400, "Message too large"),
    "40303": Code(404, "Message not found"),
    "40304": Code(400, "Invalid combination of message content"),
    "40305": Code(400, "Invalid 'from' address"),
    "40306": Code(400, "Alpha sender not configured"),
    "40307": Code(400, "Alpha sender mandatory"),
    "40308": Code(400, "Invalid 'from' address for MMS"),
    "40309": Code(400, "Invalid destination region"),
    "40310": Code(400, "Invalid 'to' address"),
    "40311": Code(403, "Invalid profile secret"),
    "40312": Code(403, "Messaging profile is disabled"),
    "40313": Code(403, "Missing profile secret"),
    "40314": Code(403, "Messaging disabled on account"),
    "40315": Code(400, "Unhealthy 'from' address"),
    "40316": Code(400, "No content provided"),
    "40317": Code(400, "Invalid MMS content"),
    "40318": Code(429, "Message queue full"),
    "40319": Code(400, "Incompatible message type for 'to'"),
    "40320": Code(409, "Temporarily unusable 'from' address"),
    "40321": Code(400, "No usable numbers on messaging profile"),
    "40322": Code(400, "Blocked due to content"),
    "40325": Code(400, "Alpha sender not usable here"),
    "40328": Code(400, "Message exceeds recommended size"),
    "40329": Code(400, "Toll-free number not verified"),
    "40330": Code(400, "Toll-free number not provisioned"),
    "40331": Code(400, "Destination whitelist missing"),
    "40333": Code(429, "Daily spend limit reached"),
}

ASYNCHRONOUS = {
    "40001": Code(0, "Not routable"),
    "40002": Code(0, "Blocked as spam, temporarily"),
    "40003": Code(0, "Blocked as spam, permanently"),
    "40004": Code(0, "Rejected by destination"),
    "40005": Code(0, "Message expired during transmission"),
    "40006": Code(0, "Recipient server unavailable"),
    "40007": Code(0, "Message loop detected"),
    "40008": Code(0, "Undeliverable"),
    "40009": Code(0, "Invalid message body"),
    "40010": Code(0, "Not 10DLC registered"),
    "40011": Code(0, "Too many requests upstream"),
    "40012": Code(0, "Invalid destination number"),
    "40013": Code(0, "Invalid source number"),
    "40014": Code(0, "Message expired in queue"),
    "40015": Code(0, "Blocked by spam filter"),
    "40016": Code(0, "T-Mobile sending limit reached"),
    "40017": Code(0, "AT&T spam rejection"),
    "40018": Code(0, "AT&T sending limit reached"),
    "40019": Code(0, "AT&T tag data mismatch"),
    "40020": Code(0, "Held: two-factor traffic"),
}

CODES = SYNCHRONOUS | ASYNCHRONOUS
