"""System checks of the environment that no other part notices: each one is silent until it hurts.

``manage.py check --deploy`` runs them, and so does a web process with an https ``PUBLIC_URL`` before
it serves (``refuse_to_start``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error

from koinonia.accounts.mail import is_delivered
from koinonia.config import variables
from koinonia.config.environment import Environment
from koinonia.health import redis_server

_TAG = "koinonia"
_NEARNESS = 0.85
"""``TELNIX_API_KEY`` is 0.93 near to the real name, ``DATABASE_NAME`` 0.69 to ``DATABASE_POOL``."""


def register() -> None:
    checks.register(check_debug, _TAG)
    for check in (
        check_provider,
        check_database,
        check_trust,
        check_names,
        check_parts,
        check_redis,
        check_alerts,
    ):
        checks.register(check, _TAG, deploy=True)


def refuse_to_start() -> None:
    """Exit with 2 and every error if a served site is misconfigured.

    A site with an https ``PUBLIC_URL`` is served to others; ``up`` on a plain local address is not.
    """
    served = settings.PUBLIC_URL.startswith("https://")
    found = checks.run_checks(include_deployment_checks=served)
    errors = [one for one in found if one.level >= checks.ERROR and not one.is_silenced()]
    if errors:
        told = "\n".join(f"  {one}" for one in errors)
        sys.stderr.write(f"The web process does not start with these errors:\n{told}\n")
        raise SystemExit(2)


def check_debug(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Refuse DEBUG together with an account that sends real texts."""
    given = _environment()
    host = urlsplit(given.telnyx.api_base).hostname
    if given.debug and given.telnyx.api_key and host == "api.telnyx.com":
        return [
            Error(
                "DEBUG is on while TELNYX_API_KEY sends real texts.",
                hint="Set DEBUG=0, or use the simulator: its error pages show settings and texts.",
                id="koinonia.E001",
            )
        ]
    return []


def check_provider(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Require an account that can send, and the key that verifies its webhooks."""
    given = _environment()
    if not given.telnyx.api_key:
        if given.twilio is not None:
            return []
        return [
            Error(
                "TELNYX_API_KEY is not set: no text can be sent.",
                hint="Copy the key from Telnyx's portal, or set the variables of Twilio.",
                id="koinonia.E002",
            )
        ]
    if not given.telnyx.public_key:
        return [
            Error(
                "TELNYX_PUBLIC_KEY is not set: every webhook of Telnyx is refused, so replies and"
                " reports are lost.",
                hint="Copy it from Keys & Credentials in Telnyx's portal.",
                id="koinonia.E003",
            )
        ]
    return []


def check_database(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Warn of a database that no other machine can use."""
    if _environment().database_url:
        return []
    return [
        checks.Warning(
            "DATABASE_URL is not set: this machine uses an SQLite file of its own.",
            hint="Two machines would not see each other's texts. Name one PostgreSQL for all.",
            id="koinonia.W004",
        )
    ]


def check_trust(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Refuse to trust every host name or every address."""
    given = _environment()
    found: list[CheckMessage] = []
    if "*" in given.allowed_hosts:
        found.append(
            Error(
                "ALLOWED_HOSTS accepts every host (*).",
                hint="Name the host of PUBLIC_URL.",
                id="koinonia.E005",
            )
        )
    if any(ip_network(network).prefixlen == 0 for network in given.trusted_proxies):
        found.append(
            Error(
                "TRUSTED_PROXIES trusts every address: any client may choose its address and so"
                " escape the rate limits.",
                hint="Name the addresses from which the proxy connects.",
                id="koinonia.E006",
            )
        )
    return found


def check_names(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Warn of variables that nobody reads and that are near to one that is read."""
    known = variables.names()
    found: list[CheckMessage] = []
    for name in sorted(set(os.environ) - known):
        near = get_close_matches(name.upper(), known, n=1, cutoff=_NEARNESS)
        if near and not os.environ.get(near[0]):
            found.append(
                checks.Warning(
                    f"{name} is not a variable of Koinonia, and has no effect.",
                    hint=f"Did you mean {near[0]}?",
                    id="koinonia.W007",
                )
            )
    return found


def check_parts(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Warn of each part that is switched off."""
    given = _environment()
    off = {
        "THROTTLING_ENABLED=0": ("no rate limit holds", not given.throttling_enabled),
        "REALTIME_ENABLED=0": ("every page polls", not given.realtime_enabled),
        "HTTPOPT_ENABLED=0": ("every answer is whole and uncompressed", not given.httpopt_enabled),
        "DELIVERY_MODE=sync": ("texts are sent inside requests", given.delivery.mode == "sync"),
    }
    return [
        checks.Warning(
            f"A part is switched off: with {variable} {effect}.",
            hint="Remove the variable when the incident is over.",
            id="koinonia.W008",
        )
        for variable, (effect, is_off) in off.items()
        if is_off
    ]


def check_redis(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Warn of a Redis that answers but evicts, is a replica, or is a cluster node for other keys."""
    if not _environment().redis_url:
        return []
    return [checks.Warning(problem, id="koinonia.W009") for problem in redis_server.problems()]


def check_alerts(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Warn of alerts that reach no person, or that a receiver cannot trust."""
    given = _environment()
    alerts = given.alerts
    found: list[CheckMessage] = []
    if alerts.email and not is_delivered(str(given.email.get("EMAIL_BACKEND", ""))):
        found.append(
            checks.Warning(
                "ALERT_EMAIL is set, and e-mail does not leave this machine.",
                hint="Set EMAIL_URL to a mail server.",
                id="koinonia.W010",
            )
        )
    if alerts.webhook_url and not alerts.webhook_secrets:
        found.append(
            checks.Warning(
                "ALERT_WEBHOOK_URL is set without ALERT_WEBHOOK_SECRET: no alert is posted.",
                hint="Make a secret: python -c 'from koinonia.webhooks.signing import new_secret;"
                " print(new_secret())'.",
                id="koinonia.W011",
            )
        )
    if alerts.webhook_secrets and not alerts.webhook_url:
        found.append(
            checks.Warning(
                "ALERT_WEBHOOK_SECRET is set without ALERT_WEBHOOK_URL, and has no effect.",
                hint="Set ALERT_WEBHOOK_URL, or remove the secret.",
                id="koinonia.W012",
            )
        )
    if urlsplit(alerts.webhook_url).scheme == "http" and not _is_local(alerts.webhook_url):
        found.append(
            checks.Warning(
                "ALERT_WEBHOOK_URL is not https: others on the way can read the alerts.",
                hint="Use https, or an address of this machine.",
                id="koinonia.W013",
            )
        )
    return found


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def _environment() -> Environment:
    found: Environment = settings.ENV
    return found
