"""What a refused write is answered with."""

from __future__ import annotations

from rest_framework.exceptions import APIException


class PreconditionFailedError(APIException):
    """RFC 9110, 15.5.13: someone else changed it since."""

    status_code = 412
    default_detail = "It has changed since you read it. Read it again, then decide."
    default_code = "precondition_failed"


class PreconditionRequiredError(APIException):
    """RFC 6585, 3: the client must say which state it means to change."""

    status_code = 428
    default_detail = "Send If-Match with the etag of what you read."
    default_code = "precondition_required"
