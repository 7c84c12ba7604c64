from __future__ import annotations

from typing import Any

import requests
from telnyx import Telnyx

from delivery.providers.telnyx.simulator import TelnyxSimulator
from tests.delivery.providers.api_client import ControlClient
from tests.support.waiting import wait_until

CHURCH = "+13125550100"
MEMBER = "+13125550002"


class ApiClient(ControlClient):
    """The simulator's two sides: ``post`` texts through the API, ``control`` the control API."""

    def __init__(self, telnyx: TelnyxSimulator) -> None:
        super().__init__(telnyx)
        self.telnyx = telnyx
        self.sdk = Telnyx(
            api_key=telnyx.api_key,
            public_key=telnyx.public_key,
            base_url=telnyx.base,
            max_retries=0,
        )

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.sdk.close()

    def post(
        self,
        key: str | None = None,
        *,
        sender: str = CHURCH,
        timeout: float | tuple[float, float] = 30,
        session: requests.Session | None = None,
        **fields: Any,
    ) -> requests.Response:
        """Post a text; ``fields`` replace those of a valid one, and None removes a field."""
        body = {"from": sender, "to": MEMBER, "text": "Service at nine.", **fields}
        body = {name: value for name, value in body.items() if value is not None}
        headers = {"Authorization": f"Bearer {self.telnyx.api_key}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return (session or self._http).post(
            f"{self.telnyx.base}/messages", json=body, headers=headers, timeout=timeout
        )

    def post_raw(self, body: bytes) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.telnyx.api_key}"}
        url = f"{self.telnyx.base}/messages"
        return self._http.post(url, data=body, headers=headers, timeout=30)

    def post_apart(self, **fields: Any) -> requests.Response:
        """Send on a separate connection, for use from several threads."""
        with requests.Session() as session:
            return self.post(session=session, **fields)

    def get(self, path: str, **parameters: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.telnyx.api_key}"}
        url = f"{self.telnyx.base}/{path}"
        return self._http.get(url, params=parameters, headers=headers, timeout=30)

    def status_of(self, message_id: str) -> str:
        return str(self.get(f"messages/{message_id}").json()["data"]["to"][0]["status"])

    def wait_for_status(self, message_id: str, status: str) -> None:
        wait_until(lambda: self.status_of(message_id) == status)


def code_of(answer: requests.Response) -> str:
    code = answer.json()["errors"][0]["code"]
    assert isinstance(code, str)
    return code
