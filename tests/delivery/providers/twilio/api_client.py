"""The two sides of the simulated Twilio: the official SDK as a client, and a host of webhooks."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from delivery.providers.twilio.simulator import TwilioSimulator
from tests.delivery.providers import receiver
from tests.delivery.providers.api_client import ControlClient
from tests.support.waiting import wait_until

SENDER = "+13125550100"
MEMBER = "+13125550002"


class ApiClient(ControlClient):
    """``sdk`` uses the API; ``control`` and ``ask`` use the control API."""

    def __init__(self, twilio: TwilioSimulator) -> None:
        super().__init__(twilio)
        self.twilio = twilio
        self.sdk = sdk_for(twilio)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.sdk.http_client.session.close()

    def send(self, **fields: Any) -> Any:
        fields = {"to": MEMBER, "from_": SENDER, "body": "Service at nine.", **fields}
        return self.sdk.messages.create(**fields)

    def wait_for_status(self, sid: str, status: str) -> None:
        wait_until(lambda: self.sdk.messages(sid).fetch().status == status)


def sdk_for(twilio: TwilioSimulator, user: str = "", password: str = "") -> Any:
    credentials = twilio.credentials
    sdk: Any = Client(
        user or credentials.api_key,
        password or credentials.api_secret,
        credentials.account_sid,
        http_client=TwilioHttpClient(timeout=30),
    )
    sdk.api.base_url = twilio.base
    return sdk


def settings_for(twilio: TwilioSimulator) -> dict[str, str]:
    """Return the settings of a provider that uses the simulator."""
    credentials = twilio.credentials
    return {
        "BACKEND": "delivery.providers.twilio.provider.TwilioProvider",
        "ACCOUNT_SID": credentials.account_sid,
        "AUTH_TOKEN": credentials.auth_token,
        "API_KEY": credentials.api_key,
        "API_SECRET": credentials.api_secret,
        "API_BASE": twilio.base,
    }


class Received(receiver.Webhook):
    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def status(self) -> str:
        return self.fields.get("MessageStatus", "")


class Receiver(receiver.Receiver[Received]):
    def __init__(self) -> None:
        super().__init__(Received, "/webhooks/twilio/m1/")
