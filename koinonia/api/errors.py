"""What the API answers besides DRF's own exceptions."""

from __future__ import annotations

from http import HTTPStatus

from rest_framework import exceptions


class ConflictError(exceptions.APIException):
    status_code = HTTPStatus.CONFLICT
    default_detail = "This does not fit the present state."


class UnprocessableError(exceptions.APIException):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = "The request is understood, but cannot be acted on."


class TooLargeError(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body of the request is too large."
