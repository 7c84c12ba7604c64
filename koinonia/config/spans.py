"""OpenTelemetry spans, made of the lines of the log: one trace from a request to the last report.

The lines are written by different processes at different times. A span needs the id of its parent, so
these ids follow from values that each process has: the trace, and the key of the text.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from koinonia.config import log_context

_SPAN = 2**64 - 1
_NANOSECONDS = 1_000_000_000
_FAILED = 500


class SpanHandler(logging.Handler):
    """Makes spans of the lines ``request``, ``send`` and ``webhook_applied``.

    ``connect`` returns the provider of tracers. It is called once per process, at the first span: a worker
    forks, and threads do not survive that.
    """

    def __init__(self, connect: Callable[[Ids], Any] | None = None) -> None:
        super().__init__(logging.INFO)
        self._connect = connect or exporting
        self._ids = Ids()
        self._tracer: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        fields = vars(record)
        make = _SPANS.get(fields.get("action", ""))
        if make is None:
            return
        try:
            make(self, fields)
        except Exception:  # as every handler: a line must not fail the work that it tells of
            self.handleError(record)

    def span(
        self, name: str, kind: str, begin: float, end: float, *, trace: str, parent: int,
        own: int = 0, failed: bool = False, about: Mapping[str, Any],
    ) -> int:  # fmt: skip
        """Make a span that has ended, and return its id. ``parent`` 0 makes a root."""
        from opentelemetry import trace as api
        from opentelemetry.context import Context

        self._ids.set(int(trace, 16), own or secrets.randbits(64) or 1)
        flags = api.TraceFlags(api.TraceFlags.SAMPLED)
        above = api.SpanContext(int(trace, 16), parent, is_remote=True, trace_flags=flags)
        made = self._made_tracer().start_span(
            name,
            api.set_span_in_context(api.NonRecordingSpan(above)) if parent else Context(),
            kind=api.SpanKind[kind],
            start_time=int(begin * _NANOSECONDS),
            attributes={key: value for key, value in about.items() if value not in (None, "")},
        )
        if failed:
            made.set_status(api.StatusCode.ERROR)
        made.end(int(max(begin, end) * _NANOSECONDS))
        return int(made.get_span_context().span_id)

    def _made_tracer(self) -> Any:
        if self._tracer is None:
            self._tracer = self._connect(self._ids).get_tracer("koinonia")
        return self._tracer


class Ids:
    """The ids of the next span, for the SDK (its ``IdGenerator``). The lock of the handler guards them."""

    def __init__(self) -> None:
        self._trace, self._span = 0, 0

    def set(self, trace: int, span: int) -> None:
        self._trace, self._span = trace, span

    def generate_trace_id(self) -> int:
        return self._trace

    def generate_span_id(self) -> int:
        return self._span

    def is_trace_id_random(self) -> bool:
        """Return False: a client may have chosen the trace."""
        return False


def exporting(ids: Ids) -> Any:
    """Return the provider that exports over OTLP. The SDK reads its ``OTEL_`` variables."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(id_generator=ids)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _request(handler: SpanHandler, line: Mapping[str, Any]) -> None:
    context = log_context.current.get()
    if context is None:
        return
    # Only a POST creates texts, whose spans must find it.
    is_parent = line["method"] == "POST"
    handler.span(
        f"{line['method']} {line['route']}".rstrip(),
        "SERVER",
        line["created"] - line["duration_ms"] / 1000,
        line["created"],
        trace=context.request_id,
        parent=int(context.parent_id or "0", 16),
        own=_request_span(context.request_id) if is_parent else 0,
        failed=line["status"] >= _FAILED,
        about={
            "http.request.method": line["method"],
            "http.route": line["route"],
            "http.response.status_code": line["status"],
            "koinonia.church": context.church,
        },
    )


def _send(handler: SpanHandler, line: Mapping[str, Any]) -> None:
    if not (trace := line["request_id"]):
        return
    began, of_text = line["began_at"].timestamp(), line["message_id"] & _SPAN
    about = _about(line, "tenant", "message_id", "batch", "provider", "provider_id")
    if line["lateness_ms"] is not None:
        handler.span(
            "wait in the queue", "INTERNAL", began - line["lateness_ms"] / 1000, began,
            trace=trace, parent=_request_span(trace), own=of_text, about=about,
        )  # fmt: skip
    handler.span(
        "send", "CLIENT", began, began + line["duration_ms"] / 1000,
        trace=trace, parent=of_text, failed=line["outcome"] != "accepted",
        about={**about, **_about(line, "attempt", "outcome", "status", "http_status", "code")},
    )  # fmt: skip


def _webhook(handler: SpanHandler, line: Mapping[str, Any]) -> None:
    if not (trace := line["request_id"]):
        return
    received: datetime = line["received_at"]
    applied = received.timestamp() + line["waited_ms"] / 1000
    about = _about(line, "tenant", "message_id", "provider", "provider_id", "event", "kind")
    webhook = handler.span(
        "webhook", "CONSUMER", received.timestamp(), applied,
        trace=trace, parent=line["message_id"] & _SPAN, about=about,
    )  # fmt: skip
    handler.span(
        "apply", "INTERNAL", applied, line["created"], trace=trace, parent=webhook,
        about={**about, **_about(line, "result")},
    )  # fmt: skip


_SPANS = {"request": _request, "send": _send, "webhook_applied": _webhook}


def _request_span(trace: str) -> int:
    """Return the span of the request that creates texts."""
    return int(trace[16:], 16) or 1


def _about(line: Mapping[str, Any], *names: str) -> dict[str, Any]:
    names_there = {"tenant": "church_id"}
    return {f"koinonia.{names_there.get(name, name)}": _plain(line[name]) for name in names}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (int, str)) else str(value)
