"""Why a socket is closed (contract section 6)."""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    UNAUTHENTICATED = 4401
    """No, expired or reused credential; logout, revoked token, disabled user, changed password."""
    FORBIDDEN = 4403
    """Foreign or missing Origin, or no stream left to which there is a right."""
    TOO_SLOW = 4408
    """It did not acknowledge: come back and resume."""
    TOO_MANY = 4429
    """Too many sockets of one user, connects, failed ones of one address, or frames of one socket."""
    SWITCHED_OFF = 4503
    """Realtime is off: poll."""


class RefusedError(Exception):
    """This connection is not to be had."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


class FloodError(RefusedError):
    """A bad handshake, of an address that has sent more of them than the host allows."""

    def __init__(self) -> None:
        super().__init__(CloseCode.TOO_MANY)
