"""The languages of the pages for people, as Django's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def settings(base_dir: Path, *, tls: bool) -> dict[str, Any]:
    """Return the settings. A language is named in itself, for its readers."""
    return {
        "LANGUAGE_CODE": "en",
        "LANGUAGES": [("en", "English"), ("es", "Español")],
        # Above the catalogues of Django's apps, which know some of the same words.
        "LOCALE_PATHS": [base_dir / "koinonia" / "locale"],
        "FORMAT_MODULE_PATH": ["koinonia.formats"],
        "LANGUAGE_COOKIE_AGE": 365 * 86_400,
        "LANGUAGE_COOKIE_HTTPONLY": True,
        "LANGUAGE_COOKIE_SAMESITE": "Lax",
        "LANGUAGE_COOKIE_SECURE": tls,
    }
