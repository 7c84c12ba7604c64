from __future__ import annotations

from collections.abc import Iterable

from httplint import HttpResponseLinter, levels


def lint(method: str, status: int, fields: Iterable[tuple[str, str]], body: bytes) -> list[str]:
    """Return the errors and warnings of httplint about an answer."""
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
        # A note about an error status is not about the form of the answer.
        and not type(note).__name__.startswith("STATUS_")
        # The answer to a session truly varies by Accept, Accept-Encoding, Cookie and Sec-Fetch-Site.
        and type(note).__name__ != "VARY_COMPLEX"
    ]
