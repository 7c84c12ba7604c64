"""The languages of the pages for people, as Django's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def settings(base_dir: Path, *, tls: bool) -> dict[str, Any]:
    """Return the settings. A language is named in itself, for its readers."""
    return {
        "LANGUAGE_CODE": "en",
        "LANGUAGES": [("en", "English"), ("es", "Español")],
        "LOCALE_PATHS": [base_dir / "koinonia" / "locale"],
        "LANGUAGE_COOKIE_AGE": 365 * 86_400,
        "LANGUAGE_COOKIE_HTTPONLY": True,
        "LANGUAGE_COOKIE_SAMESITE": "Lax",
        "LANGUAGE_COOKIE_SECURE": tls,
    }
