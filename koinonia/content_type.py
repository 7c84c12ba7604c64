"""A Content-Type that Django can read, whatever the client wrote."""

from __future__ import annotations

from koinonia.http.static_files import Application, Receive, Scope, Send

_LONGEST = 500
_NAME = b"content-type"


def with_readable_content_type(application: Application) -> Application:
    """Wrap an ASGI application: what of a Content-Type cannot be read is not passed on.

    Django decodes parameters of RFC 2231 (``a*=x''%ff``) and takes any ``charset`` that Python has a
    codec for while it makes the request, where no handler of errors is yet at work.
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [_readable(*header) for header in scope["headers"]]}
        await application(scope, receive, send)

    return wrapped


def _readable(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() != _NAME:
        return name, value
    media_type, *parameters = value[:_LONGEST].split(b";")
    kept = [one for one in parameters if b"*" not in one.partition(b"=")[0] and _is_text(one)]
    return name, b";".join([media_type, *kept])


def _is_text(parameter: bytes) -> bool:
    """Return whether it is not a charset, or one that decodes to text: ``zlib`` unpacks bytes."""
    name, _, value = parameter.partition(b"=")
    if name.strip().lower() != b"charset":
        return True
    try:
        "".encode(value.strip().strip(b"\"'").decode("ascii"))
    except (LookupError, UnicodeError, ValueError):
        return False
    return True
