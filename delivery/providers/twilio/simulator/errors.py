"""Errors in Twilio's shape: one code, an integer, in a flat JSON object."""

from __future__ import annotations

from delivery.providers.simulator import api
from delivery.providers.simulator.server import Answer, json_answer

SYNCHRONOUS: dict[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20008: (403, "Resource not accessible with Test Account Credentials"),
    20404: (404, "The requested resource was not found"),
    20403: (403, "Account suspended"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid From Number (caller ID)"),
    21408: (400, "Permission to send an SMS has not been enabled for the region"),
    21601: (400, "Phone number is not a valid SMS-capable inbound phone number"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' phone number provided is not a valid message-capable number"),
    21608: (400, "The number is unverified. Trial accounts may only message verified numbers"),
    21609: (400, "Invalid 'StatusCallback' URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and 'From'"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21619: (400, "A text message body or media urls must be specified"),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21624: (400, "Invalid ValidityPeriod"),
    21701: (400, "The Messaging Service does not exist"),
    63038: (429, "Account exceeded the daily messages limit"),
}
"""Code to HTTP status and message, as answers of POST bring them."""

ASYNCHRONOUS: dict[int, str] = {
    21610: "Attempt to send to unsubscribed recipient",
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30017: "Carrier network congestion",
    30034: "US A2P 10DLC - Message from an Unregistered Number",
    30036: "Validity Period Expired",
}
"""Code to message, as ``error_code`` of a failed text."""


class RefusedError(api.RefusedError):
    """The request is refused with a code of Twilio's; ``answer`` is the client's answer."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(f"{code} {message}")
        self.code, self.message = code, message

    @property
    def answer(self) -> Answer:
        return error_answer(self.code, self.message)


def error_answer(code: int, message: str = "", *, status: int = 0) -> Answer:
    known_status, title = SYNCHRONOUS[code]
    content = {
        "code": code,
        "message": message or title,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status or known_status,
    }
    return json_answer(content, status or known_status)
