"""The ``DELIVERY`` settings dict, typed, read live.

``TENANT_MODEL``, ``RECIPIENT_MODEL`` and the first alias in ``PROVIDERS`` are the exception: models
and migrations refer to them, so they are read once, at import, like ``AUTH_USER_MODEL``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from delivery.deletion import Deletion, KeepsEverything
from delivery.drafts import NothingScheduled, Schedule

if TYPE_CHECKING:
    from delivery.models import Message

NAMES = frozenset({
    "ACCOUNT_RATE", "AUDIT_RETENTION_DAYS", "BREAKER_OPEN_SECONDS", "COMPANIONS", "CONNECT_TIMEOUT", "COUNTRIES",
    "DAILY_PARTS", "DEFAULT_PROVIDER", "DELETION", "FAILOVER_AFTER", "FORMER_TENANT", "HASH_TAG",
    "JITTER", "LEASE_SECONDS", "MODE", "NIGHTLY", "NIGHTLY_HOUR", "NIGHTLY_ZONE", "ON_RECEIVED",
    "OWN_MEDIA", "PART_PRICE", "PROVIDERS", "PROVIDER_OF", "PUBLIC_URL", "QUIET_UNTIL",
    "READ_TIMEOUT", "RECIPIENT_MODEL", "RECIPIENT_NUMBER_FIELD", "RECIPIENT_OF",
    "RECIPIENT_TENANT_FIELD", "REDIS_URL", "RETRY_DELAYS", "SCHEDULE", "SECOND_SENDER",
    "SENDER_RATE", "STOP_WORDS_OF", "TENANT_BY_KEY", "TENANT_COUNTRY_FIELD", "TENANT_MODEL",
    "TENANT_NUMBER_FIELD", "TENANT_RATE", "THREADS", "THREAD_OF", "TRACE", "UNCONFIRMED_AFTER",
    "WATCHDOG_AFTER", "WEBHOOK_BACKLOG", "WEBHOOK_RETENTION_DAYS", "WEBHOOK_SPOOL",
})  # fmt: skip
"""Every key of ``DELIVERY``; a system check reports other keys."""


def _value(name: str, default: Any = None) -> Any:
    return getattr(settings, "DELIVERY", {}).get(name, default)


def model_label(name: str) -> str:
    """Return ``DELIVERY[name]``, an ``app_label.Model``. Raise ImproperlyConfigured if it is missing."""
    label = _value(name)
    if not isinstance(label, str) or label.count(".") != 1:
        raise ImproperlyConfigured(
            f"DELIVERY[{name!r}] must name a model as 'app_label.Model'; it is {label!r}."
        )
    return label


def tenant_model() -> str:
    return model_label("TENANT_MODEL")


def recipient_model() -> str:
    return model_label("RECIPIENT_MODEL")


def tenant_number_field() -> str:
    """Return the tenant's field with its sending number, E.164."""
    return str(_value("TENANT_NUMBER_FIELD", "phone_number"))


def recipient_tenant_field() -> str:
    """Return the recipient's foreign key to its tenant."""
    return str(_value("RECIPIENT_TENANT_FIELD", "tenant"))


def recipient_number_field() -> str:
    """Return the recipient's field with its number, E.164."""
    return str(_value("RECIPIENT_NUMBER_FIELD", "phone"))


def thread_of() -> Callable[[Any, str, datetime], int | None]:
    """Return ``THREAD_OF``: ``(tenant, number, now)`` -> the host's thread key for an inbound message.

    A dotted path; without it, inbound messages have no thread.
    """
    path = _value("THREAD_OF")
    return (
        cast(Callable[[Any, str, datetime], int | None], import_string(path)) if path else _nothing
    )


def stop_words_of() -> Callable[[Any], Iterable[str]]:
    """Return ``STOP_WORDS_OF``: ``(tenant)`` -> the tenant's opt-out words, in addition to the fixed ones.

    A dotted path; without it, only the fixed words count.
    """
    path = _value("STOP_WORDS_OF")
    return cast(Callable[[Any], Iterable[str]], import_string(path)) if path else _no_words


def _nothing(*_: Any) -> None:
    return None


def _no_words(tenant: Any) -> Iterable[str]:
    return ()


def on_received() -> Callable[[Sequence[Any], datetime], None]:
    """Return ``ON_RECEIVED``, a dotted path: ``(texts, now)`` gets the new texts of each transaction."""
    path = _value("ON_RECEIVED")
    return (
        cast(Callable[[Sequence[Any], datetime], None], import_string(path)) if path else _nothing
    )


def recipient_of() -> Callable[[Any, str], Any] | None:
    """Return ``RECIPIENT_OF``: ``(tenant, number)`` -> the key of the recipient with this number, or None.

    A dotted path; without it, the recipient with the lowest key is used.
    """
    path = _value("RECIPIENT_OF")
    return cast(Callable[[Any, str], Any], import_string(path)) if path else None


def quiet_until() -> Callable[[Any, Sequence[Message], datetime], Mapping[int, datetime]] | None:
    """Return ``QUIET_UNTIL``: ``(tenant, messages, now)`` -> by key, when the quiet hours of a recipient end.

    A dotted path. A message without an entry leaves now; without the setting, all of them do.
    """
    path = _value("QUIET_UNTIL")
    return cast(
        "Callable[[Any, Sequence[Message], datetime], Mapping[int, datetime]] | None",
        import_string(path) if path else None,
    )


def schedule() -> Schedule:
    """Return the :class:`delivery.drafts.Schedule` at the dotted path ``SCHEDULE``, or an empty one."""
    path = _value("SCHEDULE")
    return cast(Schedule, import_string(path)) if path else _NOTHING_SCHEDULED


_NOTHING_SCHEDULED = NothingScheduled()


def tenant_country_field() -> str:
    """Return the tenant's field with its country, ISO 3166; a tenant may lack it."""
    return str(_value("TENANT_COUNTRY_FIELD", "country"))


def countries() -> frozenset[str] | None:
    """Return ``COUNTRIES``: allowed ISO 3166 codes, ``*`` for all; None: each tenant's country."""
    given = _value("COUNTRIES")
    if given is None:
        return None
    return frozenset({given} if isinstance(given, str) else map(str.upper, given))


def daily_parts() -> int | None:
    """Return ``DAILY_PARTS``: message parts of one tenant in 24 hours; None: no cap."""
    parts = _value("DAILY_PARTS", 20_000)
    return None if parts is None else int(parts)


def former_tenant() -> Callable[[str], Any | None]:
    """Return ``FORMER_TENANT``: ``(number)`` -> the former tenant of a number, which still gets its messages.

    A dotted path; without it, they go to the tenant that last used the number for the sender.
    """
    path = _value("FORMER_TENANT")
    return cast(Callable[[str], Any | None], import_string(path)) if path else _nothing


def providers() -> Mapping[str, Mapping[str, Any]]:
    """Return ``PROVIDERS``: by alias, the class (``BACKEND``) and the settings of each account."""
    given: Mapping[str, Mapping[str, Any]] = _value("PROVIDERS", {})
    return given


def provider_options(alias: str) -> Mapping[str, Any]:
    """Return the settings of one provider account; empty for an unknown alias."""
    return providers().get(alias, {})


def first_provider() -> str:
    """Return the first alias in ``PROVIDERS``.

    The migration that adds ``Message.provider`` gives this alias to all existing messages.
    """
    return next(iter(providers()), "")


def default_provider() -> str:
    """Return ``DEFAULT_PROVIDER``: the alias for numbers that ``PROVIDER_OF`` does not decide."""
    return str(_value("DEFAULT_PROVIDER") or first_provider())


def provider_of() -> Callable[[Any, str], str] | None:
    """Return ``PROVIDER_OF``: ``(tenant, number)`` -> the alias of the account with this sending number.

    A dotted path; without it, the default provider has all numbers.
    """
    path = _value("PROVIDER_OF")
    return cast(Callable[[Any, str], str], import_string(path)) if path else None


def second_sender() -> Callable[[Any], tuple[str, str] | None] | None:
    """Return ``(tenant)`` -> alias and number of the second sender of the tenant, or None.

    A dotted path; without it, texts wait while the provider of their number is down.
    """
    path = _value("SECOND_SENDER")
    return cast(Callable[[Any], tuple[str, str] | None], import_string(path)) if path else None


def trace() -> UUID | None:
    """Return the trace of the present request, by the dotted path of ``() -> UUID | None``."""
    path = _value("TRACE")
    return cast("Callable[[], UUID | None]", import_string(path))() if path else None


def tenant_by_key() -> Callable[[Any], Any] | None:
    """Return ``TENANT_BY_KEY``: ``(key)`` -> the tenant, read with all that ``PROVIDER_OF`` and
    ``SECOND_SENDER`` need of it, so that a claim costs one query.

    A dotted path; without it, the tenant model's default manager reads the tenant.
    """
    path = _value("TENANT_BY_KEY")
    return cast(Callable[[Any], Any], import_string(path)) if path else None


def failover_after() -> float:
    """Return the seconds of an open breaker after which untried texts leave from the second sender."""
    return float(_value("FAILOVER_AFTER", 60))


def public_url() -> str:
    """Return the origin that providers call for webhooks."""
    return str(_value("PUBLIC_URL", "")).rstrip("/")


def own_media() -> str:
    """Return the beginning of the host's own media URLs, which need not be public; empty: none."""
    return str(_value("OWN_MEDIA", ""))


def redis_url() -> str:
    """Return the URL of Redis; empty: no Redis. Then processes pace themselves and poll for work."""
    return str(_value("REDIS_URL", ""))


def redis_key(name: str, *, account: str = "") -> str:
    """Return the Redis key of ``name`` for one provider account (its public name) or the installation.

    All keys of one call share a hash tag, as a Redis Cluster requires. ``HASH_TAG``, for example
    ``{shop}``, separates installations on one Redis database; without it the account is the tag.
    """
    tag = str(_value("HASH_TAG", ""))
    if not account:
        return f"delivery:{tag}:{name}" if tag else f"delivery:{name}"
    return f"delivery:{account}:{tag}:{name}" if tag else f"{{delivery:{account}}}:{name}"


def part_price() -> Decimal | None:
    """Return ``PART_PRICE``: the price of one message part in the host's currency; None: unknown."""
    price = _value("PART_PRICE")
    return None if price is None else Decimal(str(price))


def sync() -> bool:
    """Return True if ``MODE`` is ``sync``: single messages are sent inside the request, without a breaker."""
    return bool(_value("MODE", "queued") == "sync")


def retry_delays() -> tuple[float, ...]:
    """Return the seconds before the 2nd, 3rd, … attempt."""
    return tuple(float(delay) for delay in _value("RETRY_DELAYS", (1, 2, 4)))


def jitter() -> float:
    """Return the share by which a retry delay may grow at random; 0 is exact."""
    return float(_value("JITTER", 0))


def lease_seconds() -> float:
    return float(_value("LEASE_SECONDS", 30))


def breaker_open_seconds() -> float:
    """Return the first open time; it doubles with each failed probe, up to ten times this."""
    return float(_value("BREAKER_OPEN_SECONDS", 30))


def _rate(value: Any) -> float | None:
    return None if value is None else float(value)


def account_rate(alias: str) -> float | None:
    """Return ``ACCOUNT_RATE`` of the provider, else of all: parts per second; None: no limit."""
    return _rate(provider_options(alias).get("ACCOUNT_RATE", _value("ACCOUNT_RATE", 50)))


def sender_rate(alias: str) -> float | None:
    """Return ``SENDER_RATE`` of the provider, else of all: parts per second of one sending number."""
    return _rate(provider_options(alias).get("SENDER_RATE", _value("SENDER_RATE", 20)))


def tenant_rate() -> float | None:
    """Return the message parts per second of one tenant; None: no limit."""
    return _rate(_value("TENANT_RATE"))


def threads() -> int:
    """Return the number of concurrent API calls of one worker.

    Results that arrive together are written together: with a provider that answers after 20 ms,
    16 threads sent 310 messages a second, 64 threads sent 1,070.
    """
    return int(_value("THREADS", 64))


def connect_timeout() -> float:
    return float(_value("CONNECT_TIMEOUT", 3))


def read_timeout() -> float:
    return float(_value("READ_TIMEOUT", 10))


def watchdog_after() -> float:
    """Return the seconds without a report after which a message is looked up at the provider."""
    return float(_value("WATCHDOG_AFTER", 15 * 60))


def unconfirmed_after() -> float:
    """Return the seconds without a report after which a message counts as unconfirmed."""
    return float(_value("UNCONFIRMED_AFTER", 3 * 24 * 3600))


def webhook_retention_days() -> float:
    """Return the days in which applied webhook events stay; unmatched ones, three times as long."""
    return float(_value("WEBHOOK_RETENTION_DAYS", 30))


def audit_retention_days() -> float | None:
    """Return the age in days at which ended holds and breaker changes are deleted; None: never."""
    days = _value("AUDIT_RETENTION_DAYS")
    return None if days is None else float(days)


def deletion() -> Deletion:
    """Return the :class:`delivery.deletion.Deletion` at the dotted path ``DELETION``.

    Without it, messages are kept forever.
    """
    path = _value("DELETION")
    return cast(Deletion, import_string(path)) if path else _KEEPS_EVERYTHING


_KEEPS_EVERYTHING = KeepsEverything()


def nightly() -> Callable[[Callable[[], bool]], object] | None:
    """Return ``NIGHTLY``: ``(stopped)`` -> None, the host's work of the night. One worker calls it.

    A dotted path; without it, workers do no work at night. The function returns soon after ``stopped()``
    became true.
    """
    path = _value("NIGHTLY")
    return cast(Callable[[Callable[[], bool]], object], import_string(path)) if path else None


def companions() -> Mapping[str, str]:
    """Return ``COMPANIONS``: module -> dotted path of ``() -> bool``: whether its process is needed."""
    return dict(_value("COMPANIONS", {}))


def nightly_hour() -> int | None:
    """Return ``NIGHTLY_HOUR``: the work of the night begins at this hour of the day; None: never."""
    hour = _value("NIGHTLY_HOUR", 3)
    return None if hour is None else int(hour)


def nightly_zone() -> ZoneInfo:
    """Return ``NIGHTLY_ZONE``: the time zone of the hour, by its IANA name; UTC without it."""
    return ZoneInfo(str(_value("NIGHTLY_ZONE", "UTC")))


def webhook_backlog() -> int:
    """Return the most webhooks of one process that may wait for the database."""
    return int(_value("WEBHOOK_BACKLOG", 2000))


def webhook_spool() -> tuple[str, int] | None:
    """Return ``WEBHOOK_SPOOL``: the directory and the most bytes in it; None: no spool."""
    given = _value("WEBHOOK_SPOOL")
    if not given:
        return None
    complete = {"BYTES": _SPOOL_BYTES, **given}
    return str(complete["DIRECTORY"]), int(complete["BYTES"])


_SPOOL_BYTES = 64 * 1024 * 1024
