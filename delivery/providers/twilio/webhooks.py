"""Webhook calls: check the signature, then read the form."""

from __future__ import annotations

from collections.abc import Sequence

from delivery.providers.base import (
    ProviderEvent,
    UnreadableError,
    UntrustedError,
    WebhookRequest,
)
from delivery.providers.twilio import signature
from delivery.providers.twilio.reports import event_of

_FORM = "application/x-www-form-urlencoded"


def event(request: WebhookRequest, *, tokens: Sequence[str], account_sid: str) -> ProviderEvent:
    """Return the event of ``request``.

    Raises :class:`UntrustedError` if the signature is missing or wrong or the event belongs to another
    account, and :class:`UnreadableError` for a trusted body of another content type.
    """
    given = request.headers.get("X-Twilio-Signature", "")
    if not given:
        raise UntrustedError("missing_signature")
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
        _verify_body(request, tokens, given)
        raise UnreadableError("The body is not a form.", code="not_form")
    try:
        fields = signature.fields_of(request.body)
    except ValueError as error:
        # The signature covers the decoded fields, so an undecodable form cannot be trusted.
        raise UntrustedError("bad_form") from error
    if not signature.is_valid(tokens, request.url, fields, given):
        raise UntrustedError("bad_signature")
    if fields.get("AccountSid", [account_sid]) != [account_sid]:
        raise UntrustedError("other_account")
    first = {name: values[0] for name, values in fields.items()}
    return event_of(first, ref=request.ref, now=request.now)


def _verify_body(request: WebhookRequest, tokens: Sequence[str], given: str) -> None:
    """Check a JSON body: the signature covers the query, which contains the hash of the body."""
    digest = signature.signed_body_hash(request.url)
    if not signature.is_valid(tokens, request.url, {}, given):
        raise UntrustedError("bad_signature")
    if not signature.is_hash_of(digest, request.body):
        raise UntrustedError("bad_body_hash")
