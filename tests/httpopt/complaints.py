from __future__ import annotations

from collections.abc import Iterable

from httplint import HttpResponseLinter, levels


def complaints(
    method: str, status: int, fields: Iterable[tuple[str, str]], body: bytes
) -> list[str]:
    """What httplint has against an answer."""
    linter = HttpResponseLinter()
    linter.is_head_response = method == "HEAD"
    linter.process_response_topline(b"HTTP/1.1", str(status).encode(), b"")
    linter.process_headers([(k.encode("latin-1"), v.encode("latin-1")) for k, v in fields])
    linter.feed_content(body)
    linter.finish_content(True)
    return [
        f"{type(note).__name__}: {note.summary}"
        for note in linter.notes
        if note.level in (levels.BAD, levels.WARN)
        # That the status is an error is no complaint about how it is told.
        and not type(note).__name__.startswith("STATUS_")
        # A session's answer depends on Accept, Accept-Encoding, Cookie and Sec-Fetch-Site, and says so.
        and type(note).__name__ != "VARY_COMPLEX"
    ]
