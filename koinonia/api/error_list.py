"""The guide's page about errors, made of the tables of the code.

python -m koinonia.api.error_list > docs/guide/errors.md
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from django.utils.functional import Promise

HEAD = """\
# Errors

<!-- Made by: python -m koinonia.api.error_list > docs/guide/errors.md -->

An error is about the **request** (its status is 4xx or 5xx, and nothing was sent), or about a **text** that was accepted and then failed
(its `error` has a `code`).

## Errors of a request

Each is `application/problem+json` (RFC 9457). Decide by `status`; `detail` is a sentence for people and may change.

    {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "to: Name the recipient by exactly one of …",
     "errors": {"to": ["Name the recipient by exactly one of to, member and conversation."]}}

`errors` lists the sentences by field; the names of nested fields are joined by dots (`filter.since`, `types.0`). The sentences about an
audience are all below `audience`. A 429 has another `type` and `violated-policies`: [limits](limits.md). The `code` of a 403 is
`insufficient_scope` if it is about [the scopes of a key](tokens.md).
"""
TEXTS = """\
## Errors of a text

`error` of a text is `{code, title, class}`, or null. `class` tells what the engine does: `permanent` and `configuration` end the text,
`retryable` and `throttled` are tried again by themselves, `ambiguous` means that the text may have arrived, `waiting` that it waits.
Texts that ended are dead letters: `GET …/dead-letters/`, `POST …/dead-letters/{id}/retry/`.

### Codes of this system
"""
PROVIDER = """\
### Codes of {name}

The code of the provider, as it came. A code that is not listed is shown with the provider's own title.
"""
TAIL = """\
## Closed sockets

A socket closes with a code that says what to do: [the protocol](../realtime-protocol.md#connect) lists them.
"""

STATUSES = {
    "400": ("The input is wrong.", "Correct the fields that `errors` names. A repeat as it stands fails again."),
    "401": ("No credential, or one that is wrong, expired or revoked.",
            "Send `Authorization: Bearer <token>`. Log in again, or ask for a new token."),
    "403": ("The role of the user, or the scopes of the key, do not allow this.",
            "Ask an owner of the church for a higher role, or use a key with the scope that `WWW-Authenticate` names."),
    "404": ("It does not exist, or not in a church of this user.", "Check the slug and the id. Every path ends in a slash."),
    "405": ("The path does not take this method.", "`detail` and `Allow` list its methods."),
    "406": ("None of the media types in `Accept`.", "Accept `application/json`."),
    "409": ("The state does not allow it, or another request was faster.", "Read the item again, then decide. Nothing was changed."),
    "412": ("The item has changed since it was read.", "Read it again, decide, and send the new `etag`."),
    "413": ("The body is too large.", "Send less at once: `docs/api.md` lists the bounds."),
    "415": ("The body is of another media type.", "Send what `detail` names, mostly `application/json`."),
    "422": ("The Idempotency-Key was used with another body.", "Use one key for one text. A changed text needs a new key."),
    "428": ("This installation demands If-Match.", "Send the `etag` that was read."),
    "429": ("A limit is reached.", "Wait `Retry-After` seconds, then send the same request again."),
    "500": ("A fault of this system. It has been reported.", "Send it again with the same Idempotency-Key, a few times, ever more slowly."),
    "503": ("The database, the limits or the mail server are away.", "Wait `Retry-After` seconds, then send it again with the same key."),
}  # fmt: skip
"""Status -> meaning and remedy. A test compares them with the schema."""


def page() -> str:
    """Return the whole page. Django must be set up."""
    from delivery.dead_letters import reasons
    from delivery.providers.telnyx import codes as telnyx
    from delivery.providers.twilio import codes as twilio
    from delivery.remedies import Remedy
    from koinonia.console.words import ADVICE

    def row(code: str, sentence: str | Promise, remedy: Remedy) -> tuple[str, str, str]:
        return f"`{code}`", str(sentence), str(ADVICE[remedy]) or "Nothing has to be done."

    ours = [
        row(code, sentence, reasons.remedy(code, "", ""))
        for code, sentence in reasons.EXPLANATIONS.items()
    ]
    of_telnyx = [
        row(code, telnyx.EXPLANATIONS[code], remedy) for code, remedy in telnyx.remedies().items()
    ]
    of_twilio = [
        row(code, twilio.explain(code), remedy) for code, remedy in twilio.remedies().items()
    ]
    head = ("code", "meaning", "remedy")
    statuses = [(f"`{code}`", *words) for code, words in STATUSES.items()]
    parts = [
        HEAD,
        _table(("status", "meaning", "remedy"), statuses),
        TEXTS,
        _table(head, ours),
        PROVIDER.format(name="Telnyx"),
        _table(head, of_telnyx),
        PROVIDER.format(name="Twilio"),
        _table(head, of_twilio),
        TAIL,
    ]
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
    django.setup()
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
