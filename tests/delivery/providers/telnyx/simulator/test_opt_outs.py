from __future__ import annotations

import pytest

from delivery.providers.telnyx.simulator.opt_outs import keyword
from tests.delivery.providers.telnyx.simulator.api_client import CHURCH, MEMBER, ApiClient, code_of
from tests.delivery.providers.telnyx.simulator.receiver import Receiver

OTHER_CHURCH = "+13125550200"


@pytest.fixture(autouse=True)
def _profile_url(client: ApiClient, receiver: Receiver) -> None:
    client.control("webhooks", url=receiver.url("/profile"))


def write(client: ApiClient, text: str) -> dict[str, object]:
    return client.control("inbound", **{"from": MEMBER, "to": CHURCH, "text": text})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *(
            (text, "STOP")
            for text in ("STOP", "stopall", "Stop All", "UNSUBSCRIBE", "cancel", "END")
        ),
        (" quit \n", "STOP"),
        ("START", "START"),
        ("unstop", "START"),
        ("help", "HELP"),
        ("YES", None),
        ("please stop all messages", None),
        ("STOP.", None),
        ("", None),
    ],
)
def test_only_a_keyword_alone_counts(text: str, word: str | None) -> None:
    assert keyword(text) == word


def test_stop_blocks_replies_and_still_tells_the_profile(
    client: ApiClient, receiver: Receiver
) -> None:
    assert write(client, " stop ")["autoresponse_type"] == "STOP"
    [webhook] = receiver.wait_for(1)
    assert (webhook.path, webhook.type) == ("/profile", "message.received")
    assert webhook.payload["autoresponse_type"] == "STOP"
    assert webhook.payload["text"] == " stop "
    [reply] = client.ask("auto-replies")["auto_replies"]
    assert (reply["from"], reply["to"]) == (CHURCH, MEMBER)
    answer = client.post()
    assert (answer.status_code, code_of(answer)) == (409, "40300")
    assert len(client.telnyx.ledger) == 0


def test_start_unblocks(client: ApiClient) -> None:
    write(client, "STOP")
    write(client, "START")
    assert client.post().status_code == 200
    assert client.ask("opt-outs")["opt_outs"] == []


def test_help_blocks_nobody(client: ApiClient) -> None:
    write(client, "HELP")
    assert client.post().status_code == 200
    assert len(client.ask("auto-replies")["auto_replies"]) == 1


def test_a_block_is_of_the_number_that_was_texted(client: ApiClient) -> None:
    write(client, "STOP")
    assert client.post(sender=OTHER_CHURCH).status_code == 200


def test_a_block_can_be_of_the_whole_account(client: ApiClient) -> None:
    client.control("settings", opt_out_scope="account")
    write(client, "STOP")
    assert client.post(sender=OTHER_CHURCH).status_code == 409


def test_telnyx_lists_opt_outs(client: ApiClient) -> None:
    write(client, "stop all")
    [entry] = client.get("messaging_optouts", **{"filter[from]": CHURCH}).json()["data"]
    assert (entry["from"], entry["to"], entry["keyword"]) == (CHURCH, MEMBER, "STOP ALL")
    assert client.get("messaging_optouts", **{"filter[from]": OTHER_CHURCH}).json()["data"] == []


def test_an_ordinary_text_has_no_autoresponse(client: ApiClient, receiver: Receiver) -> None:
    write(client, "Count me in")
    [webhook] = receiver.wait_for(1)
    assert "autoresponse_type" not in webhook.payload
    assert client.ask("auto-replies")["auto_replies"] == []
