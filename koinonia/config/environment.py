"""The environment variables, read once into typed values; all bad ones are reported together.

A variable that is not set is read from ``DATA_DIR`` if ``manage.py up`` has written it there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_email_url
from environs import EnvValidationError, ValidationError, validate

from koinonia.config import (
    alert_rules,
    delivery_limits,
    kept_values,
    rate_limits,
    retention_days,
    rules,
    secret_files,
    twilio_account,
)

_TELNYX = "https://api.telnyx.com/v2"
_text, _choice = rules.Env.text, rules.Env.choice


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
class Environment:
    debug: bool
    """DEBUG: 1 shows error pages with settings; for development alone."""
    secret_key: str
    """SECRET_KEY: by default ``up`` makes one and keeps it; empty for a command that needs none."""
    secret_key_fallbacks: list[str]
    """SECRET_KEY_FALLBACKS: further keys whose signatures are valid, while SECRET_KEY rotates."""
    allowed_hosts: list[str]
    """ALLOWED_HOSTS: the host names that are served; by default the host of PUBLIC_URL and local names."""
    csrf_trusted_origins: list[str]
    """CSRF_TRUSTED_ORIGINS: origins whose forms are accepted; by default PUBLIC_URL."""
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
    """LOG_LEVEL: DEBUG, INFO, WARNING or ERROR; INFO."""
    log_format: str
    """LOG_FORMAT: ``plain`` for people, ``json`` for machines."""
    log_requests: bool
    """LOG_REQUESTS: 0 leaves out the lines of requests that did not fail."""
    otel_traces: bool
    """OTEL_TRACES: 1 exports OpenTelemetry spans over OTLP; it needs the extra ``otel``."""
    httpopt_enabled: bool
    """HTTPOPT_ENABLED: 0 turns off compression, 304 answers and field filtering."""
    realtime_enabled: bool
    """REALTIME_ENABLED: 0 refuses the socket, so that clients poll."""
    throttling_enabled: bool
    """THROTTLING_ENABLED: 0 turns every rate limit off."""
    throttle: dict[str, str]
    """THROTTLE_<POLICY>: ``count/[n]period[:burst]``, the rate of that policy."""
    email: dict[str, Any]
    """EMAIL_URL: the mail server, such as
    ``smtp://user:password@host:587/?tls=1&_default_from_email=koinonia@example.org``.
    The default prints mails on the console."""
    support_address: str
    """SUPPORT_ADDRESS: the e-mail address for questions of the offices, which their help page names; empty
    names the operator."""
    telnyx: Telnyx
    twilio: twilio_account.Twilio | None
    """None without TWILIO_ACCOUNT_SID: this provider does not exist then."""
    webhooks_to_loopback: bool
    """WEBHOOKS_TO_LOOPBACK: 1 lets owners name receivers of webhooks on this machine, by http too; by
    default only if PUBLIC_URL is such an address itself."""
    delivery: delivery_limits.Delivery
    retention: retention_days.Retention
    alerts: alert_rules.Alerts


def read(base_dir: Path) -> Environment:
    """Read all variables. Raise BadEnvironmentError with every problem."""
    secrets_without_value = secret_files.read_into(os.environ)
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
        log_requests=env.bool("LOG_REQUESTS", True),
        otel_traces=env.bool("OTEL_TRACES", False, validate=rules.has_opentelemetry),
        httpopt_enabled=env.bool("HTTPOPT_ENABLED", True),
        realtime_enabled=env.bool("REALTIME_ENABLED", True),
        throttling_enabled=env.bool("THROTTLING_ENABLED", True),
        throttle=_throttle(env),
        email=_email(env, public_url),
        support_address=_text(env, "SUPPORT_ADDRESS", "", rules.email_address),
        telnyx=_telnyx(env, data_dir),
        twilio=twilio_account.read(env),
        webhooks_to_loopback=env.bool("WEBHOOKS_TO_LOOPBACK", _is_local(public_url)),
        delivery=delivery_limits.read(env),
        retention=retention_days.read(env, data_dir),
        alerts=alert_rules.read(env),
    )
    # environs returns None for a bad value. Raise before the value is used.
    _raise_if_bad(env, secrets_without_value)
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


def _networks(env: rules.Env, name: str, default: list[str]) -> list[str]:
    return env.list(name, default, validate=rules.each(rules.network))


def _origins(env: rules.Env, name: str) -> list[str]:
    """Return origins in the form of the ``Origin`` header: lower case, no trailing slash."""
    given: list[str] = env.list(name, [], validate=rules.each(rules.exact_origin)) or []
    return [one.strip().rstrip("/").lower() for one in given]


def _public_url(env: rules.Env, data_dir: Path) -> str:
    default = kept_values.read(data_dir, kept_values.PUBLIC_URL) or "http://127.0.0.1:8000"
    return _text(env, "PUBLIC_URL", default, rules.origin).rstrip("/")


def _local_names(public_url: str) -> list[str]:
    names = ["localhost", "127.0.0.1", "[::1]"]
    host = urlsplit(public_url).hostname or ""
    own = f"[{host}]" if ":" in host else host
    return names if own in names else [*names, own]


def _is_local(public_url: str) -> bool:
    """Return whether only this machine can open the site, as in development."""
    parts = urlsplit(public_url)
    return parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}


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


def _raise_if_bad(env: rules.Env, problems: Mapping[str, str]) -> None:
    found = dict(problems)
    try:
        env.seal()
    except EnvValidationError as error:
        told = error.error_messages if isinstance(error.error_messages, dict) else {}
        found |= {name: " ".join(map(str, messages)) for name, messages in told.items()}
    if found:
        raise BadEnvironmentError(found)
