from __future__ import annotations

import pytest

from delivery.providers.telnyx.simulator.opt_outs import keyword
from tests.delivery.providers.telnyx.simulator.office import CHURCH, MEMBER, Office, code_of
from tests.delivery.providers.telnyx.simulator.receiver import Receiver

OTHER_CHURCH = "+13125550200"


@pytest.fixture(autouse=True)
def _profile_url(office: Office, receiver: Receiver) -> None:
    office.tell("webhooks", url=receiver.url("/profile"))


def write(office: Office, text: str) -> dict[str, object]:
    return office.tell("inbound", **{"from": MEMBER, "to": CHURCH, "text": text})


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
    office: Office, receiver: Receiver
) -> None:
    assert write(office, " stop ")["autoresponse_type"] == "STOP"
    [webhook] = receiver.wait_for(1)
    assert (webhook.path, webhook.type) == ("/profile", "message.received")
    assert webhook.payload["autoresponse_type"] == "STOP"
    assert webhook.payload["text"] == " stop "
    [reply] = office.ask("auto-replies")["auto_replies"]
    assert (reply["from"], reply["to"]) == (CHURCH, MEMBER)
    answer = office.post()
    assert (answer.status_code, code_of(answer)) == (409, "40300")
    assert len(office.telnyx.ledger) == 0


def test_start_unblocks(office: Office) -> None:
    write(office, "STOP")
    write(office, "START")
    assert office.post().status_code == 200
    assert office.ask("opt-outs")["opt_outs"] == []


def test_help_blocks_nobody(office: Office) -> None:
    write(office, "HELP")
    assert office.post().status_code == 200
    assert len(office.ask("auto-replies")["auto_replies"]) == 1


def test_a_block_is_of_the_number_that_was_texted(office: Office) -> None:
    write(office, "STOP")
    assert office.post(sender=OTHER_CHURCH).status_code == 200


def test_a_block_can_be_of_the_whole_account(office: Office) -> None:
    office.tell("settings", opt_out_scope="account")
    write(office, "STOP")
    assert office.post(sender=OTHER_CHURCH).status_code == 409


def test_telnyx_lists_opt_outs(office: Office) -> None:
    write(office, "stop all")
    [entry] = office.get("messaging_optouts", **{"filter[from]": CHURCH}).json()["data"]
    assert (entry["from"], entry["to"], entry["keyword"]) == (CHURCH, MEMBER, "STOP ALL")
    assert office.get("messaging_optouts", **{"filter[from]": OTHER_CHURCH}).json()["data"] == []


def test_an_ordinary_text_has_no_autoresponse(office: Office, receiver: Receiver) -> None:
    write(office, "Count me in")
    [webhook] = receiver.wait_for(1)
    assert "autoresponse_type" not in webhook.payload
    assert office.ask("auto-replies")["auto_replies"] == []
