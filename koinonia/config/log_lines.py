"""Logging of every process: one line per record, as plain text or JSON.

Records name texts and people by their ids. The formatters mask phone numbers in every record, and
the secret part of links that open an account.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

import orjson

from koinonia.config import log_context

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PHONE = re.compile(r"\+\d{5,13}(?=\d{2}(?!\d))")
_MASKED = "+…"
_OPTIONS = orjson.OPT_NON_STR_KEYS
# Django logs the path of a request that it refuses; the link may still be valid.
_SECRET_LINK = re.compile(r"(/invitations/|/password-reset/[\w-]+/)[\w-]{20,}")
# PostgreSQL quotes the row that it refuses, with names and words; they may have several lines.
_REFUSED_ROW = re.compile(
    r"^DETAIL:.*?(?=\n\n(?:The above exception was|During handling of the above)|\Z)",
    re.DOTALL | re.MULTILINE,
)


def config(level: str, form: str, *, requests: bool = True, traces: bool = False) -> dict[str, Any]:
    """Return ``LOGGING``: every record goes to stderr, where ``up``, systemd or Docker reads it.

    ``requests``: False leaves out the lines of requests that succeeded. ``traces``: True exports spans.
    """
    handlers: dict[str, Any] = {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}}
    if traces:
        handlers["spans"] = {"class": "koinonia.config.spans.SpanHandler"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{__name__}.{form.title()}Formatter"}},
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level},
        # Django's own handlers would log every record twice, and mail it.
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            "daphne": {"level": "WARNING"},
            # uvicorn's own handlers would write plain text, and its access log shows queries.
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.access": {"handlers": [], "level": "WARNING"},
            "koinonia.http.request_log": {} if requests else {"level": "WARNING"},
            # A client's mistake is reported to the client.
            "django.request": {"level": "ERROR"},
            "django-q": {"level": "WARNING"},
        },
    }


def masked(text: str) -> str:
    """Return ``text`` with phone numbers cut to their last two digits, and links without secrets."""
    # The tests for a part cost a tenth of a search, and few lines have the part.
    if "+" in text:
        text = _PHONE.sub(_MASKED, text)
    if "/invitations/" in text or "/password-reset/" in text:
        text = _SECRET_LINK.sub(r"\1…", text)
    return text


class PlainFormatter(logging.Formatter):
    """``10:21:07 WARNING delivery.breaker  The breaker opened.  state=open``"""

    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f"  {name}={value}" for name, value in _extra(record).items())
        head = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname} {record.name}"
        trace = f"\n{_trace(self, record)}" if record.exc_info else ""
        return masked(f"{head}  {record.getMessage()}{extra}{trace}")


class JsonFormatter(logging.Formatter):
    """A JSON object per line; the ``extra`` of the record becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "at": at,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["trace"] = _trace(self, record)
        return masked(_as_json(line))


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """Return the stack trace of the record, without the rows that a database quotes."""
    trace = formatter.formatException(record.exc_info) if record.exc_info else ""
    return _REFUSED_ROW.sub("DETAIL: …", trace)


def _as_json(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line, default=str, option=_OPTIONS).decode()
    except TypeError:
        # A lone surrogate, or a number of more than 64 bits.
        return json.dumps(line, default=str)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    # Django adds the request object to its records; its repr says nothing in a log.
    own = {
        name: value
        for name, value in vars(record).items()
        if name not in _STANDARD_FIELDS and name != "request" and value not in (None, "")
    }
    if "tenant" in own:
        # The name that delivery has for a church.
        own["church_id"] = own.pop("tenant")
    # A record that names another request, such as that of the text it is about, keeps it.
    return {**log_context.fields(), **own}
