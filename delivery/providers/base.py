"""The provider boundary: the neutral types of the engine, and the class that a provider implements.

``docs/adding-a-provider.md`` says which files a new provider needs and how the conformance suite runs.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.checks import CheckMessage
from django.http import HttpResponse

from delivery import conf
from delivery.models import Outcome
from delivery.models.message import Encoding
from delivery.models.transitions import Failure
from delivery.models.webhook_event import TEXT_RECEIVED
from delivery.remedies import Remedy
from delivery.statuses import Status

LONGEST_ID = 64
"""A provider's id of a message, and an event's id, have at most so many characters."""


class UntrustedError(Exception):
    """The provider did not provably send this webhook now. ``code`` says why, for the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnreadableError(ValueError):
    """A trusted webhook has no readable body. The message of the error is the answer to the caller."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
        """For the log: ``not_json``."""


class NotConfiguredError(Exception):
    """The settings lack what this provider needs to check webhooks."""


class LookUpFailedError(Exception):
    """The provider does not answer look-ups now; further look-ups would fail as well."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a provider. Breaker, holds and pace belong to an account."""

    alias: str
    """The key in ``DELIVERY["PROVIDERS"]``, ``Message.provider``, and the name in webhook URLs."""
    name: str
    """Twelve hexadecimal digits, safe to show: the account in Redis keys and breaker rows."""


def account_name(*parts: str) -> str:
    """Return the public name of the account that the secret or public ``parts`` identify."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """Guarantees of a provider that the engine must know."""

    key_memory: timedelta | None = None
    """The time in which the provider recognises a repeat by its idempotency key. The engine repeats an
    ambiguous call within this time, less an hour. None: the provider takes each call as a new text,
    so the engine never repeats an ambiguous call."""
    look_up_by_id: bool = False
    look_up_by_content: bool = False
    """The provider lists texts by both numbers, so a text with a lost answer can be found."""
    event_times: bool = False
    """Status events have a time. False: ``occurred_at`` is our own clock, and does not order two
    events."""
    parts_in_answer: bool = False
    expiry_at_provider: bool = False
    """The provider drops a text that it could not send before ``OutboundText.expires_at``."""
    callback_per_message: bool = False
    """Status events come to ``OutboundText.callback_url``, which names the message."""
    failed_webhooks_come_again: bool = False
    """The provider repeats a webhook that was answered with 5xx."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboundText:
    """The text of one call. All attempts of one generation have equal texts. A provider that compares
    repeated requests must build its bytes from these fields alone."""

    message_id: int
    generation: int
    idempotency_key: str
    reference: str
    """Our name of the message, letters and digits: the last part of ``callback_url``."""
    from_number: str
    to_number: str
    text: str
    media_urls: tuple[str, ...] = ()
    callback_url: str = ""
    """``<origin>/webhooks/<alias>/<reference>/``; empty without a public origin."""
    created_at: datetime
    expires_at: datetime | None = None
    traceparent: str = ""
    """For the header of that name (W3C Trace Context), never for the body. Empty without a trace."""


@dataclass(frozen=True, slots=True)
class Billed:
    """The size of one message that a provider states; None for a value that is missing or odd."""

    parts: int | None = None
    encoding: Encoding | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SendOutcome:
    """The outcome of one call. The engine decides by these fields, never by a provider's text."""

    kind: Outcome
    provider_id: str = ""
    billed: Billed = field(default_factory=Billed)
    """Accepted: the parts and the encoding, where the provider states them."""
    http_status: int | None = None
    code: str = ""
    """The provider's code, or our own word where the provider gave none."""
    title: str = ""
    detail: str = ""
    """People and logs see it, so it contains neither phone numbers nor the text."""
    retry_after: float | None = None
    """Throttled: the pause in seconds that the provider asks for. Configuration: the pause in seconds
    for all texts of this sending number."""
    whole_account: bool = False
    """Throttled: the limit is the account's, not the sending number's."""
    hold: bool = False
    """Hold the account until a person ends the hold, or until ``retry_after`` is over."""
    opted_out: bool = False
    """Permanent: because the recipient sent STOP."""
    final: bool = False
    """Ambiguous: another call cannot settle it."""
    from_provider: bool = True
    """Permanent: the answer has the provider's own form. False: a proxy may have refused the call,
    and a proxy does not know about earlier calls."""
    reached: bool = True
    """False: no answer arrived."""

    @property
    def error_class(self) -> str:
        return "" if self.kind == Outcome.ACCEPTED else self.kind.value

    @property
    def gives_pause(self) -> bool:
        """Tell whether the outcome may concern other texts: check the limits before sending more."""
        pauses = self.hold or self.retry_after is not None
        return pauses or self.kind == Outcome.THROTTLED or self.provider_failed

    @property
    def provider_failed(self) -> bool:
        """Tell whether the circuit breaker counts this call as a failure of the provider."""
        return self.kind in {Outcome.RETRYABLE, Outcome.AMBIGUOUS}


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryReport:
    """The state of one outbound text at one moment, from an event or from a look-up."""

    provider_id: str
    status: Status
    at: datetime
    to_number: str
    from_number: str
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    failure: Failure | None = None
    """Status ``failed``: why. ``error_class`` is ``carrier``, or ``configuration`` where the sending
    number or the account is to blame."""
    opted_out: bool = False
    """The provider refused it because the recipient sent STOP."""
    billed: Billed = field(default_factory=Billed)


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundText:
    """A text from a person to one of our numbers."""

    provider_id: str
    to_number: str
    """Empty where the person texted an agent without a number (RCS)."""
    from_number: str
    text: str
    postback: str = ""
    """The machine-readable value of a tapped suggestion; ``text`` is its visible label."""
    media_urls: tuple[str, ...] = ()
    keyword: str = ""
    """``STOP`` or ``START`` where the provider recognised a keyword; else empty."""
    billed: Billed = field(default_factory=Billed)
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookRequest:
    """An untrusted call of a webhook URL."""

    headers: Mapping[str, str]
    """Look-ups ignore case."""
    body: bytes
    url: str
    """The URL that we gave to the provider: the configured public origin, the path and the query."""
    ref: str
    """The part of the path after the alias; empty for the general URL."""
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderEvent:
    """An event of a provider: read from a webhook, stored, applied later."""

    event_id: str
    """Equal for a repeat of the same event. A hash of the content, where the provider has no id."""
    event_type: str
    """``TEXT_RECEIVED`` for a text from a person, so that a STOP overtakes waiting reports; else the
    provider's own word."""
    provider_id: str = ""
    """The provider's id of the message."""
    ref: str = ""
    """``WebhookRequest.ref`` where it names a message of ours: a hint, no proof."""
    occurred_at: datetime
    payload: dict[str, Any]
    """Storable JSON (see :func:`delivery.content.visible_text.storable`)."""

    @property
    def is_inbound(self) -> bool:
        return self.event_type == TEXT_RECEIVED


@dataclass(frozen=True, slots=True)
class LookUpById:
    """A question for the state of the text with this id."""

    provider_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LookUpByContent:
    """A question for a text with a lost answer. The provider answers only if it is certain."""

    reference: str
    callback_url: str
    to_number: str
    from_number: str
    text: str
    parts: int
    since: datetime
    until: datetime
    """All calls began and ended between ``since`` and ``until``."""
    others: frozenset[str]
    """Ids that the provider gave to other texts of ours between the two numbers."""
    one_of_many: bool
    """There is a second text with a lost answer, the same words and the same numbers."""


Question = LookUpById | LookUpByContent


class Provider(ABC):
    """A configured provider account. ``DELIVERY["PROVIDERS"][alias]["BACKEND"]`` names the class.

    ``send``, ``look_up`` and ``close`` are called from one thread per instance: connections may be
    kept in the instance. Any thread may call the remaining methods on a shared instance; they must
    not change it. No method uses the database.
    """

    key: str
    """The kind of provider, lower case: the folder below ``delivery/providers/``."""
    name: str
    """The name for people."""
    capabilities: Capabilities
    plain_fields: frozenset[str] = frozenset()
    """Names of fields in its webhooks whose values say nothing about a person: support may see them."""

    def __init__(self, alias: str = "") -> None:
        """Make an instance for ``alias``, which is ``key`` in the settings of most projects."""
        self.alias = alias or self.key

    @property
    def options(self) -> Mapping[str, Any]:
        """Return ``DELIVERY["PROVIDERS"][alias]``, read live."""
        return conf.provider_options(self.alias)

    @property
    @abstractmethod
    def account(self) -> Account:
        """Return the account of the present settings; use :func:`account_name`."""

    @abstractmethod
    def send(self, text: OutboundText) -> SendOutcome:
        """Make one call without retries. Never raises."""

    @abstractmethod
    def parse_webhook(self, request: WebhookRequest) -> Sequence[ProviderEvent]:
        """Return the events in a webhook.

        Raises :class:`UntrustedError`, :class:`UnreadableError` or :class:`NotConfiguredError`.
        """

    def webhook_response(self, events: Sequence[ProviderEvent]) -> HttpResponse:
        """Return the answer that tells the provider that ``events`` are stored."""
        return HttpResponse(status=200)

    @abstractmethod
    def read_event(self, event: ProviderEvent) -> DeliveryReport | InboundText | None:
        """Return the content of a stored event; None for an event that does not concern a text."""

    def look_up(self, question: Question, now: datetime) -> DeliveryReport | None:
        """Ask the provider about one text; None where it does not know the text for certain.

        Raises :class:`LookUpFailedError`. The engine asks only the questions that ``capabilities`` allow.
        """
        return None

    @abstractmethod
    def explain(self, code: str) -> str:
        """Return a sentence for support about a code of this provider; empty for an unknown code."""

    def remedy(self, code: str) -> Remedy | None:
        """Return the remedy for a code of this provider; None where the class of the error tells it."""
        return None

    def remedies(self) -> Mapping[str, Remedy]:
        """Return the remedy of each code that :meth:`explain` knows, for a list of all of them."""
        return {}

    def check(self) -> Iterable[CheckMessage]:
        """Yield the errors in ``options``, as system checks."""
        return ()

    def close(self) -> None:
        """Close the connections of this instance."""
        return
