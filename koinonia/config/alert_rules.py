"""The environment variables of alerts: the channels, and the thresholds of the rules."""

from __future__ import annotations

import os
from dataclasses import dataclass

from environs import validate

from koinonia.config import rules


@dataclass(frozen=True, kw_only=True)
class Alerts:
    email: tuple[str, ...]
    """ALERT_EMAIL: the addresses that get alerts, separated by commas; it needs EMAIL_URL."""
    webhook_url: str
    """ALERT_WEBHOOK_URL: the address that gets alerts as signed webhooks (Standard Webhooks)."""
    webhook_secrets: tuple[str, ...]
    """ALERT_WEBHOOK_SECRET: ``whsec_…``, signs them; new,old while it rotates."""
    every_seconds: float
    """ALERT_EVERY_SECONDS: how often one worker judges, 15."""
    calm_seconds: float
    """ALERT_CALM_SECONDS: a trouble is over after so long without it, 120."""
    repeat_hours: float
    """ALERT_REPEAT_HOURS: the hours after which a trouble has a further alert, 4."""
    breaker_seconds: float | None
    """ALERT_BREAKER_SECONDS: a breaker that blocks for so long, 60; ``none`` never tells of it, here and
    in the variables below."""
    hold_seconds: float | None
    """ALERT_HOLD_SECONDS: an account that is held for so long, 0."""
    oldest_due_seconds: float | None
    """ALERT_OLDEST_DUE_SECONDS: a text that has been due for so long, without a breaker or hold, 900."""
    webhook_silence_seconds: float | None
    """ALERT_WEBHOOK_SILENCE_SECONDS: texts wait for reports, and an account has sent no webhook for so
    long, 1800."""
    dead_letters: int | None
    """ALERT_DEAD_LETTERS: so many new dead letters within an hour, 20."""
    outgoing_seconds: float | None
    """ALERT_OUTGOING_SECONDS: no worker sends the webhooks of churches for so long, 300."""
    spend_cap: bool
    """ALERT_SPEND_CAP: 0 sends no alert about churches that reached their daily limit."""

    @property
    def are_told(self) -> bool:
        """Return whether the settings name a channel."""
        return bool(self.email or self.webhook_url)


def read(env: rules.Env) -> Alerts:
    """Read the variables; ``env`` collects the problems."""
    secrets = env.list("ALERT_WEBHOOK_SECRET", [], validate=rules.each(rules.webhook_secret))
    dead_letters = _seconds(env, "ALERT_DEAD_LETTERS", 20)
    return Alerts(
        email=tuple(env.list("ALERT_EMAIL", [], validate=rules.each(rules.email_address))),
        webhook_url=env.text("ALERT_WEBHOOK_URL", "", rules.url("http", "https")),
        webhook_secrets=tuple(secrets),
        every_seconds=env.float("ALERT_EVERY_SECONDS", 15.0, validate=validate.Range(1, 3600)),
        calm_seconds=env.float("ALERT_CALM_SECONDS", 120.0, validate=validate.Range(0, 86_400)),
        repeat_hours=env.float("ALERT_REPEAT_HOURS", 4.0, validate=validate.Range(0.1, 168)),
        breaker_seconds=_seconds(env, "ALERT_BREAKER_SECONDS", 60),
        hold_seconds=_seconds(env, "ALERT_HOLD_SECONDS", 0),
        oldest_due_seconds=_seconds(env, "ALERT_OLDEST_DUE_SECONDS", 900),
        webhook_silence_seconds=_seconds(env, "ALERT_WEBHOOK_SILENCE_SECONDS", 1800),
        outgoing_seconds=_seconds(env, "ALERT_OUTGOING_SECONDS", 300),
        dead_letters=None if dead_letters is None else max(1, int(dead_letters)),
        spend_cap=env.bool("ALERT_SPEND_CAP", True),
    )


def _seconds(env: rules.Env, name: str, default: float) -> float | None:
    if os.environ.get(name, "").lower() == "none":
        return None
    return env.float(name, default, validate=validate.Range(0, 30 * 86_400))
