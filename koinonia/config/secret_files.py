"""Secrets from files: ``NAME_FILE`` names a file that holds the value of ``NAME``.

systemd credentials, Docker secrets and Kubernetes secrets are such files.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

NAMES = (
    "ALERT_WEBHOOK_SECRET", "DATABASE_URL", "EMAIL_URL", "REDIS_URL", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "TELNYX_API_KEY",
    "TELNYX_PUBLIC_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET",
    "TWILIO_AUTH_TOKEN",
)  # fmt: skip
"""The variables that may come from a file, each under its name with ``_FILE``."""


def read_into(environment: MutableMapping[str, str]) -> dict[str, str]:
    """Replace each ``NAME_FILE`` by ``NAME`` with the content of the file; return the problems.

    All other code, and each program that this process starts, then finds the plain variable.
    """
    problems: dict[str, str] = {}
    for name in NAMES:
        variable = f"{name}_FILE"
        path = environment.get(variable)
        if not path:
            continue
        if environment.get(name):
            problems[variable] = f"{name} is set as well: set one of them."
            continue
        try:
            environment[name] = _content(Path(path))
        except (OSError, ValueError) as error:
            problems[variable] = f"{path} cannot be used: {_reason(error)}."
            continue
        del environment[variable]
    return problems


def _content(path: Path) -> str:
    """Return the text of the file without the white space around it. Raise ValueError if empty."""
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise ValueError("it is empty")
    if "\0" in text:
        raise ValueError("it is no text")
    return text


def _reason(error: OSError | ValueError) -> str:
    # The text of a UnicodeDecodeError may quote the secret.
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
