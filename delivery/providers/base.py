"""The edge to the carrier: one call in, one verdict out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from django.utils.module_loading import import_string

from delivery import conf
from delivery.billed import Billed
from delivery.models import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class SendRequest:
    """One call: the bytes and the key are the same each time a generation of a message is tried."""

    message_id: int
    generation: int
    idempotency_key: str
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What one call came to. The engine decides by these fields, never by a provider's text."""

    outcome: Outcome
    provider_id: str = ""
    billed: Billed = field(default_factory=Billed)
    """Accepted: the parts and the encoding that the provider bills, where it states them."""
    http_status: int | None = None
    code: str = ""
    """The provider's code, or our own word for what it did not put into a code."""
    title: str = ""
    detail: str = ""
    retry_after: float | None = None
    """Throttled: seconds that the provider asked us to stay away. Configuration: seconds for which
    the other texts of this sending number wait."""
    whole_account: bool = False
    """Throttled: by a limit of the account, not of the sending number."""
    hold: bool = False
    """Send nothing more through this account: until a person has put it right, or for
    ``retry_after``."""
    opted_out: bool = False
    """Permanent: because the recipient sent STOP."""
    final: bool = False
    """Ambiguous: asking again cannot settle it."""
    from_provider: bool = True
    """Permanent: the provider's own word, in its own form. False: something on the way to it may
    have refused, which knows nothing of what the provider took before."""
    reached: bool = True
    """The provider answered, however badly; False counts against the breaker with 5xx."""

    @property
    def error_class(self) -> str:
        return "" if self.outcome == Outcome.ACCEPTED else self.outcome.value

    @property
    def gives_pause(self) -> bool:
        """It may be about more than this text: ask whether others may go before any does."""
        pauses = self.hold or self.retry_after is not None
        return pauses or self.outcome == Outcome.THROTTLED or self.provider_failed

    @property
    def provider_failed(self) -> bool:
        """The circuit breaker counts it: the provider is ill, not this message or account."""
        return self.outcome in {Outcome.RETRYABLE, Outcome.AMBIGUOUS}


class Provider(Protocol):
    """Something that texts can be handed to. Used by one thread only; must not raise."""

    def send(self, request: SendRequest) -> Verdict: ...


def connect() -> Provider:
    """A new provider for the calling thread, of the class that ``DELIVERY["PROVIDER"]`` names."""
    provider: Provider = import_string(conf.provider())()
    return provider
