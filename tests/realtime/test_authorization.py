from __future__ import annotations

import asyncio
import uuid

import pytest
from websockets.exceptions import InvalidStatus

from realtime.protocol import REASONS, CloseCode
from tests.realtime.client import Client, open_socket
from tests.realtime.second_project.processes import SecondProject

SOON = 20


async def test_a_socket_without_a_credential_closes_with_4401(port: int) -> None:
    async with open_socket(port) as stranger:
        assert await stranger.close_code() == 4401
        assert stranger.connection.close_reason == REASONS[CloseCode.UNAUTHENTICATED]


def test_every_code_has_a_reason_that_fits_into_a_close_frame() -> None:
    assert set(REASONS) == set(CloseCode)
    assert all(len(reason.encode()) <= 123 for reason in REASONS.values())


@pytest.mark.parametrize(
    "others", ['prefs={"a":1}; {}', "foo; {}", "x[y]=1; {}", "a/b=2; {}", "{}; x=a,b c; z=1"]
)
async def test_malformed_cookies_do_not_hide_the_session_cookie(
    port: int, session: str, others: str
) -> None:
    cookie = others.replace("{}", f"sessionid={session}")
    async with open_socket(port, headers={"Cookie": cookie}) as ann:
        assert await ann.first() == "welcome"


@pytest.mark.parametrize(
    "session", ["", "no-such-session", "a" * 5000, '"', "\u00e9"], ids=lambda value: repr(value[:9])
)
async def test_an_invalid_session_cookie_is_refused(port: int, session: str) -> None:
    async with open_socket(port, headers={"Cookie": f"sessionid={session}"}) as stranger:
        assert await stranger.close_code() == 4401


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1.evil.example:{port}",
        "http://localhost:{port}",
        "http://club.example",
        "https://club.example:444",
    ],
)
async def test_a_page_of_another_origin_cannot_use_the_cookie(
    port: int, session: str, origin: str | None
) -> None:
    origin = origin and origin.format(port=port)
    async with open_socket(port, session, origin=origin) as page:
        assert await page.close_code() == 4403


async def test_an_allowed_origin_is_admitted(port: int, session: str) -> None:
    async with open_socket(port, session, origin="https://club.example") as page:
        assert (await page.hear())["type"] == "welcome"


async def test_a_ticket_opens_one_socket(project: SecondProject, port: int, session: str) -> None:
    ticket = project.write("ticket", _user(project))
    offer = ["koinonia.v1", f"ticket.{ticket}"]
    async with open_socket(port, origin=None, subprotocols=offer) as ann:
        assert (await ann.hear())["type"] == "welcome"
        assert ann.connection.subprotocol == "koinonia.v1"
    async with open_socket(port, origin=None, subprotocols=offer) as thief:
        assert await thief.close_code() == 4401


async def test_only_one_of_many_sockets_can_use_a_ticket(project: SecondProject, port: int) -> None:
    ticket = project.write("ticket", _user(project))

    async def use_ticket() -> str | int | None:
        async with open_socket(port, origin=None, path=f"/ws/v1/?ticket={ticket}") as one:
            try:
                return str((await one.hear())["type"])
            except Exception:  # the close code is the outcome
                return one.connection.close_code

    outcomes = await asyncio.gather(*(use_ticket() for _ in range(8)))
    assert sorted(map(str, outcomes)) == ["4401"] * 7 + ["welcome"]


async def test_a_bearer_needs_no_origin(project: SecondProject, port: int) -> None:
    bearer = {"Authorization": f"Bearer token-{_user(project)}"}
    async with open_socket(port, origin=None, headers=bearer) as ann:
        assert (await ann.hear())["type"] == "welcome"
    async with open_socket(port, headers={"Authorization": "Bearer wrong"}) as stranger:
        assert await stranger.close_code() == 4401


async def test_the_twenty_first_socket_of_a_user_is_refused(port: int, session: str) -> None:
    async with asyncio.TaskGroup() as group:
        full = asyncio.Event()
        done = asyncio.Event()
        opened: list[Client] = []

        async def hold() -> None:
            async with open_socket(port, session) as one:
                await one.hear("welcome")
                opened.append(one)
                if len(opened) == 20:
                    full.set()
                await done.wait()

        for _ in range(20):
            group.create_task(hold())
        await full.wait()
        async with open_socket(port, session) as one_more:
            assert await one_more.close_code() == 4429
        done.set()
    async with open_socket(port, session) as again:
        assert (await again.hear())["type"] == "welcome"


async def test_an_unknown_path_is_403(port: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(port, path="/ws/v9/"):
            pass
    assert refused.value.response.status_code == 403


async def test_an_expelled_member_loses_the_stream(project: SecondProject, port: int) -> None:
    user, session = _member(project, "chess", "rowing")
    async with open_socket(port, session) as ann:
        await ann.subscribe("club:chess")
        await ann.subscribe("club:rowing")
        project.write("expel", user, "chess")
        frame = await ann.hear("unsubscribed", seconds=SOON)
        assert frame == {"type": "unsubscribed", "stream": "club:chess", "code": "forbidden"}
        assert (await ann.subscribe("club:chess"))["code"] == "forbidden"
        project.write("expel", user, "rowing")
        assert await ann.close_code(SOON) == 4403


async def test_a_notice_ends_access_before_the_periodic_check(project: SecondProject) -> None:
    unchecked = project.beside(PROJECT_SWEEP="3600")
    user, session = _member(project, "chess")
    try:
        async with open_socket(unchecked.serve(), session) as ann:
            await ann.subscribe("club:chess")
            closed = asyncio.create_task(ann.close_code(SOON))
            while not closed.done():
                # Repeat: a server that has just started may miss the first notice.
                await asyncio.to_thread(project.write, "expel_with_notice", user, "chess")
                await asyncio.wait({closed}, timeout=0.2)
            assert closed.result() == 4403
    finally:
        unchecked.close_servers()


@pytest.mark.parametrize("change", ["disable", "change_password"])
async def test_a_changed_user_loses_the_socket(
    project: SecondProject, port: int, change: str
) -> None:
    user, session = _member(project)
    async with open_socket(port, session) as ann:
        await ann.hear("welcome")
        project.write(change, user)
        assert await ann.close_code(SOON) == 4401


async def test_a_logout_closes_the_socket(project: SecondProject, port: int) -> None:
    _, session = _member(project)
    async with open_socket(port, session) as ann:
        await ann.hear("welcome")
        project.write("log_out", session)
        assert await ann.close_code(SOON) == 4401


async def test_a_revoked_token_closes_the_socket(project: SecondProject, port: int) -> None:
    user, _ = _member(project)
    async with open_socket(port, headers={"Authorization": f"Bearer token-{user}"}) as ann:
        await ann.hear("welcome")
        project.write("rename", user, f"{user}-2")
        assert await ann.close_code(SOON) == 4401


def _member(project: SecondProject, *clubs: str) -> tuple[str, str]:
    user = f"ann-{uuid.uuid4().hex[:8]}"
    return user, project.write("member", user, *clubs)


def _user(project: SecondProject) -> str:
    return _member(project)[0]
