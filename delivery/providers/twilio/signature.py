"""``X-Twilio-Signature``: base64 of HMAC-SHA1 over the URL and the form fields, by the Auth Token.

No time is signed, so a repeated webhook is as valid as the first: event ids and ranks make repeats
harmless. The newer ``X-Twilio-Webhooks-Signature-Settings`` (public beta: shared keys, SHA-256) is not
read; Twilio sends it only for URLs with a Webhook Rule. Free of Django.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qs, parse_qsl, urlsplit

Fields = Mapping[str, Sequence[str]]
"""Decoded form fields: a name and its values."""

MOST_FIELDS = 300
RETRY_OVERRIDES = "#rc=5&rp=all"
"""Connection overrides behind a webhook URL: up to five retries, also after a 5xx. Without them Twilio
repeats a call only if it could not connect."""

_DEFAULT_PORTS = {"https": 443, "http": 80}


def fields_of(body: bytes) -> dict[str, list[str]]:
    """Return the form fields in ``body``, with empty values and blanks.

    Raises ValueError for too many fields and for invalid UTF-8.
    """
    pairs = parse_qsl(
        body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
    )
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def compute(token: str, url: str, fields: Fields) -> str:
    """Return the signature. A repeated name counts once for each different value."""
    signed = url + "".join(
        name + value for name in sorted(fields) for value in sorted(set(fields[name]))
    )
    digest = hmac.new(token.encode(), signed.encode("utf-8", "surrogatepass"), hashlib.sha1)
    return base64.b64encode(digest.digest()).decode()


def is_valid(tokens: Iterable[str], url: str, fields: Fields, signature: str) -> bool:
    """Return whether one of ``tokens`` signed ``url`` with ``fields``.

    Twilio writes the port or leaves it out, and its documents do not say if it signs a fragment. So
    every such spelling of our own URL is valid.
    """
    given = signature.encode("utf-8", "replace")
    good = False
    for token in filter(None, tokens):
        for spelling in _spellings(url):
            good |= hmac.compare_digest(compute(token, spelling, fields).encode(), given)
    return good


def signed_body_hash(url: str) -> str:
    """Return ``bodySHA256`` of the query, the hash of a JSON body; empty if the query lacks it."""
    return parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]


def is_hash_of(digest: str, body: bytes) -> bool:
    return hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), digest.lower().encode())


def _spellings(url: str) -> list[str]:
    bare = url.partition("#")[0]
    parts = urlsplit(bare)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    ports = dict.fromkeys((parts.netloc, host, f"{host}:{port}"))
    urls = [bare.replace(parts.netloc, netloc, 1) for netloc in ports]
    return urls + [one + RETRY_OVERRIDES for one in urls]
