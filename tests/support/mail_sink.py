"""A real SMTP server that keeps its mails."""

from __future__ import annotations

from typing import Any, Self

from aiosmtpd.controller import Controller

from tests.support.running_system import free_port


class Sink:
    """Listens on loopback between ``with`` and its end. ``envelopes`` are the received mails."""

    def __init__(self) -> None:
        self.envelopes: list[Any] = []
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        self.envelopes.append(envelope)
        return "250 OK"

    def use(self, settings: Any) -> None:
        """Let Django send its mails here."""
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", self.port

    def texts(self) -> list[str]:
        return [envelope.content.decode() for envelope in self.envelopes]

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
