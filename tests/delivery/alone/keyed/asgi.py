from __future__ import annotations

from django.core.asgi import get_asgi_application

from delivery.webhooks.asgi import WebhookIntake


async def _fail(scope: object, receive: object, send: object) -> None:
    raise AssertionError("The intake passed a webhook on.")


get_asgi_application()
application = WebhookIntake(_fail)
