"""The environment variables, read once into typed values; all bad ones are reported together.

A variable that is not set is read from ``DATA_DIR`` if ``manage.py up`` has written it there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_email_url
from environs import EnvValidationError, ValidationError, validate

from koinonia.config import kept_values, rate_limits, retention_days, rules

_TELNYX = "https://api.telnyx.com/v2"
_TWILIO = "https://api.twilio.com"


class BadEnvironmentError(Exception):
    """Variables with bad values; ``problems`` maps each name to a sentence."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = [f"  {name}: {problem}" for name, problem in sorted(self.problems.items())]
        super().__init__("\n".join(["The environment cannot be used:", *lines]))


@dataclass(frozen=True, kw_only=True)
class Telnyx:
    api_key: str
    """TELNYX_API_KEY: the key of the account; by default the key of a running simulator."""
    api_base: str
    """TELNYX_API_BASE: https://api.telnyx.com/v2 when a key is set."""
    public_key: str
    """TELNYX_PUBLIC_KEY: base64 of 32 bytes; verifies the signatures of webhooks; old,new while it rotates."""


@dataclass(frozen=True, kw_only=True)
class Twilio:
    account_sid: str
    """TWILIO_ACCOUNT_SID: AC and 32 hexadecimal digits."""
    auth_tokens: list[str]
    """TWILIO_AUTH_TOKEN: verifies the signatures of webhooks; old,new while it rotates."""
    api_key: str
    """TWILIO_API_KEY: SK…, calls the API; by default the account and its token do."""
    api_secret: str
    """TWILIO_API_SECRET: the secret of the key."""
    api_base: str
    """TWILIO_API_BASE: https://api.twilio.com."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    mode: str
    """DELIVERY_MODE: ``queued``, or ``sync`` (a single text is sent inside the request)."""
    retry_delays: tuple[float, ...]
    """DELIVERY_RETRY_DELAYS: seconds before the 2nd, 3rd, … attempt."""
    lease_seconds: float
    """DELIVERY_LEASE_SECONDS: how long a worker may hold a message."""
    breaker_open_seconds: float
    """DELIVERY_BREAKER_OPEN_SECONDS: the first open time of the circuit breaker."""
    account_rate: float | None
    """DELIVERY_ACCOUNT_RATE: message parts per second, whole account; ``none`` removes the limit."""
    sender_rate: float | None
    """DELIVERY_SENDER_RATE: message parts per second, one sending number."""
    church_rate: float | None
    """DELIVERY_CHURCH_RATE: message parts per second, one church."""
    part_price: str | None
    """DELIVERY_PART_PRICE: the price of one message part, such as 0.014; previews show the sum."""
    countries: tuple[str, ...] | None
    """DELIVERY_COUNTRIES: ISO 3166 codes that may be texted, ``*`` for all; default: each church's own."""
    daily_parts: int | None
    """DELIVERY_DAILY_PARTS: message parts of one church in 24 hours; ``none`` removes the cap."""
    webhook_spool: bool
    """WEBHOOK_SPOOL: 1 keeps webhooks in DATA_DIR/webhooks while the database is away."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    debug: bool
    """DEBUG"""
    secret_key: str
    """SECRET_KEY: by default ``up`` makes one and keeps it; empty for a command that needs none."""
    secret_key_fallbacks: list[str]
    """SECRET_KEY_FALLBACKS: further keys whose signatures are valid, while SECRET_KEY rotates."""
    allowed_hosts: list[str]
    """ALLOWED_HOSTS: the host of PUBLIC_URL and local names."""
    csrf_trusted_origins: list[str]
    """CSRF_TRUSTED_ORIGINS: PUBLIC_URL."""
    cors_allowed_origins: list[str]
    """CORS_ALLOWED_ORIGINS: other origins; their pages may use the API, with tokens."""
    data_dir: Path
    """DATA_DIR: database, Valkey's files, keys, logs."""
    database_url: str
    """DATABASE_URL: ``postgres://…``; empty is SQLite in DATA_DIR."""
    database_pool: int
    """DATABASE_POOL: the most PostgreSQL connections of a process, 20 in web; 0 keeps none."""
    redis_url: str
    """REDIS_URL: ``redis://``, ``rediss://``, ``unix://``, ``redis+sentinel://``; by default the
    Valkey of ``up``. It may name a database: ``redis://host/5``, ``unix://…?db=5``,
    ``redis+sentinel://…/master/5``."""
    redis_prefix: str
    """REDIS_PREFIX: separates installations that share a Redis database; ``koinonia``."""
    keep_alive_seconds: float
    """KEEP_ALIVE_SECONDS: how long the web server keeps an idle connection, 75; set it higher than
    the proxy's."""
    stop_grace_seconds: float
    """STOP_GRACE_SECONDS: how long a web process serves on after TERM, while ``/readyz`` is 503; 0."""
    public_url: str
    """PUBLIC_URL: the origin that people use and that Telnyx calls for webhooks."""
    trusted_proxies: list[str]
    """TRUSTED_PROXIES: CIDRs of proxies with a trustworthy ``X-Forwarded-For``."""
    metrics_allow: list[str]
    """METRICS_ALLOW: CIDRs that may read /metrics."""
    worker_metrics: str
    """WORKER_METRICS: the address where ``manage.py worker`` serves its /metrics, such as
    127.0.0.1:9108 or [::]:9108; by default nowhere."""
    log_level: str
    """LOG_LEVEL"""
    log_format: str
    """LOG_FORMAT: ``plain`` for people, ``json`` for machines."""
    httpopt_enabled: bool
    """HTTPOPT_ENABLED: 0 turns off compression, 304 answers and field filtering."""
    realtime_enabled: bool
    """REALTIME_ENABLED: 0 refuses the socket, so that clients poll."""
    throttling_enabled: bool
    """THROTTLING_ENABLED: 0 turns every rate limit off."""
    throttle: dict[str, str]
    """THROTTLE_<POLICY>: ``count/[n]period[:burst]``, the rate of that policy."""
    email: dict[str, Any]
    """EMAIL_URL as Django's settings, from a URL such as
    ``smtp://user:password@host:587/?tls=1&_default_from_email=koinonia@example.org``.
    The default prints mails on the console."""
    telnyx: Telnyx
    twilio: Twilio | None
    """None without TWILIO_ACCOUNT_SID: this provider does not exist then."""
    delivery: Delivery
    retention: retention_days.Retention


def read(base_dir: Path) -> Environment:
    """Read all variables. Raise BadEnvironmentError with every problem."""
    env = rules.Env(eager=False)
    data_dir = base_dir / env.path("DATA_DIR", Path("var"))
    public_url = _public_url(env, data_dir)
    found = Environment(
        debug=env.bool("DEBUG", False),
        secret_key=env.str("SECRET_KEY", "") or kept_values.read(data_dir, kept_values.SECRET_KEY),
        secret_key_fallbacks=env.list("SECRET_KEY_FALLBACKS", []),
        allowed_hosts=env.list("ALLOWED_HOSTS", _local_names(public_url)),
        csrf_trusted_origins=env.list(
            "CSRF_TRUSTED_ORIGINS", [public_url], validate=rules.each(rules.trusted_origin)
        ),
        cors_allowed_origins=_origins(env, "CORS_ALLOWED_ORIGINS"),
        data_dir=data_dir,
        database_url=_text(env, "DATABASE_URL", "", rules.database_url),
        database_pool=env.int("DATABASE_POOL", 0, validate=validate.Range(0, 1000)),
        redis_url=_text(env, "REDIS_URL", "", rules.redis_url)
        or kept_values.read(data_dir, kept_values.REDIS_URL),
        redis_prefix=_text(env, "REDIS_PREFIX", "koinonia", rules.redis_prefix),
        keep_alive_seconds=env.float("KEEP_ALIVE_SECONDS", 75.0, validate=rules.positive),
        stop_grace_seconds=env.float("STOP_GRACE_SECONDS", 0.0, validate=validate.Range(0, 300)),
        public_url=public_url,
        trusted_proxies=_networks(env, "TRUSTED_PROXIES", []),
        metrics_allow=_networks(env, "METRICS_ALLOW", ["127.0.0.0/8", "::1"]),
        worker_metrics=_text(env, "WORKER_METRICS", "", rules.listening_address),
        log_level=_choice(env, "LOG_LEVEL", "DEBUG", "INFO", "WARNING", "ERROR", default="INFO"),
        log_format=_choice(env, "LOG_FORMAT", "plain", "json", default="plain"),
        httpopt_enabled=env.bool("HTTPOPT_ENABLED", True),
        realtime_enabled=env.bool("REALTIME_ENABLED", True),
        throttling_enabled=env.bool("THROTTLING_ENABLED", True),
        throttle=_throttle(env),
        email=_email(env, public_url),
        telnyx=_telnyx(env, data_dir),
        twilio=_twilio(env),
        delivery=_delivery(env),
        retention=retention_days.read(env, data_dir),
    )
    # environs returns None for a bad value. Raise before the value is used.
    _raise_if_bad(env)
    return found


def read_or_exit(base_dir: Path) -> Environment:
    """Read all variables. Print every problem and exit with 2 if any is bad."""
    try:
        return read(base_dir)
    except BadEnvironmentError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def exit_if_missing(environment: Environment, *, to_send: bool = False) -> None:
    """Exit with 2 if a needed value is missing in the environment and in ``DATA_DIR``."""
    needed = {"SECRET_KEY": environment.secret_key, "REDIS_URL": environment.redis_url}
    if to_send:
        needed["TELNYX_API_KEY"] = environment.telnyx.api_key
    absent = [name for name, value in needed.items() if not value]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        sys.stderr.write(
            f"{', '.join(absent)} {verb} not set, and no `manage.py up` runs on"
            f" {environment.data_dir} (DATA_DIR).\n"
        )
        raise SystemExit(2)


def _text(env: rules.Env, name: str, default: str, rule: rules.Rule) -> str:
    if not os.environ.get(name):
        return default
    # environs returns None for a bad value, and ``read`` then raises.
    return env.str(name, validate=rule) or default


def _networks(env: rules.Env, name: str, default: list[str]) -> list[str]:
    return env.list(name, default, validate=rules.each(rules.network))


def _origins(env: rules.Env, name: str) -> list[str]:
    """Return origins in the form of the ``Origin`` header: lower case, no trailing slash."""
    given: list[str] = env.list(name, [], validate=rules.each(rules.exact_origin)) or []
    return [one.strip().rstrip("/").lower() for one in given]


def _choice(env: rules.Env, name: str, *choices: str, default: str) -> str:
    return env.str(name, default, validate=validate.OneOf(choices))


def _public_url(env: rules.Env, data_dir: Path) -> str:
    default = kept_values.read(data_dir, kept_values.PUBLIC_URL) or "http://127.0.0.1:8000"
    return _text(env, "PUBLIC_URL", default, rules.origin).rstrip("/")


def _local_names(public_url: str) -> list[str]:
    names = ["localhost", "127.0.0.1", "[::1]"]
    host = urlsplit(public_url).hostname or ""
    own = f"[{host}]" if ":" in host else host
    return names if own in names else [*names, own]


def _email(env: rules.Env, public_url: str) -> dict[str, Any]:
    url = _text(env, "EMAIL_URL", "console://", rules.email_url)
    host = urlsplit(public_url).hostname or "localhost"
    # A mail server that hangs must not hold a request for long.
    defaults = {"DEFAULT_FROM_EMAIL": f"koinonia@{host}", "EMAIL_TIMEOUT": 10}
    given = dj_email_url.parse(url) if rules.is_email_url(url) else {}
    return defaults | {name: value for name, value in given.items() if value is not None}


def _telnyx(env: rules.Env, data_dir: Path) -> Telnyx:
    key = env.str("TELNYX_API_KEY", "")
    # Never combine a real key with the simulator's address.
    simulator = {} if key else kept_values.simulator(data_dir)
    base = _text(env, "TELNYX_API_BASE", "", rules.url("http", "https"))
    public_key = _text(env, "TELNYX_PUBLIC_KEY", "", rules.public_keys)
    return Telnyx(
        api_key=key or simulator.get("api_key", ""),
        api_base=base or simulator.get("base", _TELNYX),
        public_key=public_key or simulator.get("public_key", ""),
    )


def _twilio(env: rules.Env) -> Twilio | None:
    account_sid = _text(env, "TWILIO_ACCOUNT_SID", "", _account_sid)
    # The rules skip an empty variable: it counts as not set.
    token = _text(env, "TWILIO_AUTH_TOKEN", "", _needs("TWILIO_ACCOUNT_SID"))
    key = _text(env, "TWILIO_API_KEY", "", _needs("TWILIO_ACCOUNT_SID", "TWILIO_API_SECRET"))
    secret = _text(env, "TWILIO_API_SECRET", "", _needs("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY"))
    base = _text(env, "TWILIO_API_BASE", _TWILIO, rules.url("http", "https"))
    if not account_sid:
        return None
    return Twilio(
        account_sid=account_sid,
        auth_tokens=[one.strip() for one in token.split(",") if one.strip()],
        api_key=key,
        api_secret=secret,
        api_base=base,
    )


def _account_sid(value: str) -> None:
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", value):
        raise ValidationError("It is not AC and 32 hexadecimal digits.")
    _needs("TWILIO_AUTH_TOKEN")(value)


def _needs(*others: str) -> rules.Rule:
    """Return the rule that a variable is useless without ``others``."""

    def check(value: str) -> None:
        absent = [name for name in others if not os.environ.get(name)]
        if absent:
            raise ValidationError(f"It needs {' and '.join(absent)} as well.")

    return check


def _delivery(env: rules.Env) -> Delivery:
    delays = env.list("DELIVERY_RETRY_DELAYS", ["1", "2", "4"], validate=rules.each(rules.delay))
    return Delivery(
        mode=_choice(env, "DELIVERY_MODE", "queued", "sync", default="queued"),
        retry_delays=tuple(map(float, delays or ())),
        lease_seconds=env.float("DELIVERY_LEASE_SECONDS", 30.0, validate=rules.positive),
        breaker_open_seconds=env.float(
            "DELIVERY_BREAKER_OPEN_SECONDS", 30.0, validate=rules.positive
        ),
        account_rate=_per_second(env, "DELIVERY_ACCOUNT_RATE", 50),
        sender_rate=_per_second(env, "DELIVERY_SENDER_RATE", 20),
        church_rate=_per_second(env, "DELIVERY_CHURCH_RATE", None),
        part_price=_text(env, "DELIVERY_PART_PRICE", "", rules.price) or None,
        countries=_countries(env),
        daily_parts=_daily_parts(env),
        webhook_spool=env.bool("WEBHOOK_SPOOL", False),
    )


def _per_second(env: rules.Env, name: str, default: float | None) -> float | None:
    if os.environ.get(name, "").lower() in {"", "none"}:
        return None if name in os.environ else default
    return env.float(name, validate=rules.positive)


def _countries(env: rules.Env) -> tuple[str, ...] | None:
    if not os.environ.get("DELIVERY_COUNTRIES"):
        return None
    given: list[str] = env.list("DELIVERY_COUNTRIES", validate=rules.each(rules.country)) or []
    # Treat an empty list as not set: it would refuse every text.
    return tuple(code.strip().upper() for code in given) or None


def _daily_parts(env: rules.Env) -> int | None:
    if os.environ.get("DELIVERY_DAILY_PARTS", "").lower() == "none":
        return None
    return env.int("DELIVERY_DAILY_PARTS", 20_000, validate=validate.Range(0, 2**31 - 1))


def _throttle(env: rules.Env) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(os.environ):
        policy = name.removeprefix("THROTTLE_").lower()
        if name.startswith("THROTTLE_"):
            found[policy] = env.str(name, validate=[_known_policy(policy), rules.rate]) or ""
    return found


def _known_policy(policy: str) -> rules.Rule:
    def check(value: str) -> None:
        if policy not in rate_limits.NAMES:
            names = ", ".join(rate_limits.NAMES)
            raise ValidationError(f"There is no such policy; there are {names}.")

    return check


def _raise_if_bad(env: rules.Env) -> None:
    try:
        env.seal()
    except EnvValidationError as error:
        problems = dict(error.error_messages) if isinstance(error.error_messages, dict) else {}
        raise BadEnvironmentError(
            {name: " ".join(map(str, messages)) for name, messages in problems.items()}
        ) from error
