"""Fan-out: a process reads and encodes a commit once for all its sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from realtime import authorization, credentials, log, log_reader
from realtime.feed import Feed, Frame
from realtime.flow_control import MAX_UNACKNOWLEDGED_BYTES, SendWindow, TooSlowError
from realtime.hub import Hub
from realtime.log import NewEvent
from realtime.log_reader import Head
from realtime.subscription import Subscription
from realtime.threads import in_thread
from tests.realtime.test_hub import SECONDS, SETTINGS, _connect, _until

pytestmark = pytest.mark.django_db(transaction=True)

STREAM = "church:grace"


def _append(number: int) -> None:
    with transaction.atomic():
        log.append({STREAM: [NewEvent("number", {"n": number})]}, now=timezone.now())


class Counter:
    def __init__(self, function: Any) -> None:
        self.function, self.calls = function, 0

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        return self.function(*arguments)


def _up_to_date(feed: Feed) -> bool:
    """Return whether the first read of the feed is over, and every reader of the log it woke."""
    listeners = [each for each in feed.listeners if isinstance(each, Subscription)]
    return feed._seen is not None and not any(each._work for each in listeners)


# A tail check between a commit and its notice would read the log once more.
@override_settings(REALTIME={**SETTINGS, "TAIL_CHECK_SECONDS": 60})
async def test_a_commit_is_read_and_encoded_once_for_all_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sockets = [await _connect() for _ in range(8)]
    for socket in sockets:
        await socket.send_json_to({"type": "subscribe", "stream": STREAM})
        assert (await socket.receive_json_from(SECONDS))["type"] == "subscribed"
    # Each subscription reads the log itself once, after the first read of its feed. A commit within
    # that time is read by the feed and by the subscription.
    await _until(lambda: _up_to_date(Hub.current().feeds[STREAM]))
    reads, frames = Counter(log_reader.read_page), Counter(Frame.of)
    monkeypatch.setattr(log_reader, "read_page", reads)
    monkeypatch.setattr(Frame, "of", frames)
    for number in range(1, 4):
        await in_thread(_append, number)
        for socket in sockets:
            frame = await socket.receive_json_from(SECONDS)
            assert [event["data"]["n"] for event in frame["events"]] == [number]
    assert (reads.calls, frames.calls) == (3, 3)
    for socket in sockets:
        await socket.disconnect()


class StuckOutlet:
    """A socket that accepts nothing until ``writable`` is set."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.got: list[str] = []
        self.failed: list[Exception] = []

    async def send_text(self, text: str) -> None:
        await self.writable.wait()
        self.got.append(text)

    async def send_reset(self, head: Head) -> None:
        raise AssertionError("Nothing was pruned.")

    async def fail(self, key: str, error: Exception) -> None:
        self.failed.append(error)


def _live(outlet: Any, window: SendWindow | None = None, stream: str = STREAM) -> Subscription:
    subscription = Subscription(stream, stream, outlet, window or SendWindow())
    subscription.start_at(0, "e")
    subscription.begin(Head(STREAM, 1, "e", 1, 0))
    return subscription


async def test_a_blocked_socket_does_not_block_the_fan_out_and_gets_all_frames_in_order() -> None:
    outlet = StuckOutlet()
    subscription = _live(outlet)
    await asyncio.sleep(0)
    for number in range(1, 6):
        subscription.push(Frame(number, number, str(number), 1))  # must return without waiting
    assert outlet.got == []
    outlet.writable.set()
    await _until(lambda: subscription.sent == 5)
    assert outlet.got == ["1", "2", "3", "4", "5"]
    subscription.push(Frame(6, 6, "6", 1))
    assert outlet.got[-1] == "6"  # sent without a task again


async def test_a_closed_socket_fails_once_and_gets_no_more_frames() -> None:
    class ClosedOutlet(StuckOutlet):
        async def send_text(self, text: str) -> None:
            raise ConnectionResetError

    outlet = ClosedOutlet()
    subscription = _live(outlet)
    await asyncio.sleep(0)
    for number in (1, 2):
        subscription.push(Frame(number, number, "x", 1))
    await _until(lambda: bool(outlet.failed))
    subscription.push(Frame(3, 3, "x", 1))
    await asyncio.sleep(0)
    assert [type(error) for error in outlet.failed] == [ConnectionResetError]


class FastOutlet(StuckOutlet):
    """A socket that accepts everything at once."""

    async def send_text(self, text: str) -> None:
        self.got.append(text)


async def test_an_acknowledgement_sends_the_frames_queued_during_a_pause_without_a_task() -> None:
    outlet, window = FastOutlet(), SendWindow()
    subscription = _live(outlet, window)
    await asyncio.sleep(0)
    for number in range(1, 6):
        subscription.push(Frame(number, number, str(number), MAX_UNACKNOWLEDGED_BYTES))
    assert outlet.got == ["1", "2"]  # the second frame fills the window
    for arrived, got in ((1, "123"), (3, "12345"), (5, "12345")):
        window.acknowledge(STREAM, arrived)
        assert "".join(outlet.got) == got
    subscription.push(Frame(6, 6, "6", 1))
    assert outlet.got[-1] == "6"


async def test_frames_queued_before_a_restore_are_not_sent_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class ResettingOutlet(FastOutlet):
        async def send_reset(self, head: Head) -> None:
            self.got.append(f"reset {head.last}")

    outlet, window = ResettingOutlet(), SendWindow()
    subscription = _live(outlet, window)
    await asyncio.sleep(0)
    for number in range(1, 6):
        subscription.push(Frame(number, number, str(number), MAX_UNACKNOWLEDGED_BYTES))
    monkeypatch.setattr(log_reader, "read_head", lambda key: Head(key, 1, "restored", 1, 3))
    subscription.reread()
    window.acknowledge(STREAM, 2)
    await _until(lambda: outlet.got == ["1", "2", "reset 3"])
    # The queued frame 4 of the old log would follow 3 without a gap.
    subscription.push(Frame(4, 4, "new 4", 1))
    assert outlet.got == ["1", "2", "reset 3", "new 4"]


async def test_streams_of_one_socket_take_turns_after_a_pause() -> None:
    outlet, window = FastOutlet(), SendWindow()
    pair = {name: _live(outlet, window, name) for name in ("club:a", "club:b")}
    await asyncio.sleep(0)
    for number in range(1, 4):
        for name, subscription in pair.items():
            subscription.push(
                Frame(number, number, f"{name[-1]}{number}", MAX_UNACKNOWLEDGED_BYTES)
            )
    assert outlet.got == ["a1", "b1"]
    window.acknowledge("club:b", 1)
    assert outlet.got == ["a1", "b1", "a2", "a3"]
    window.acknowledge("club:a", 3)
    assert outlet.got == ["a1", "b1", "a2", "a3", "b2", "b3"]


async def test_a_client_that_does_not_acknowledge_fails_unless_it_has_unsubscribed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime.flow_control.MAX_PAUSE_SECONDS", 0)
    gone, slow = FastOutlet(), FastOutlet()
    for outlet in (gone, slow):
        subscription = _live(outlet)
        await asyncio.sleep(0)
        for number in range(1, 4):
            subscription.push(Frame(number, number, "x", MAX_UNACKNOWLEDGED_BYTES))
        if outlet is gone:
            subscription.stop()
    await _until(lambda: bool(slow.failed))
    assert [type(error) for error in slow.failed] == [TooSlowError]
    assert gone.failed == []


@override_settings(
    REALTIME={**SETTINGS, "LISTENERS": "tests.realtime.test_fan_out.all_of_them"},
)
def test_the_access_of_all_sockets_is_checked_in_a_few_queries() -> None:
    users = [User.objects.create_user(f"member-{number}") for number in range(30)]
    sessions = [_session(user) for user in users]
    connections = [
        (credentials.of_user(user, session_key=str(session.session_key)), [STREAM])
        for user, session in zip(users, sessions, strict=True)
    ]
    User.objects.filter(pk=users[3].pk).update(is_active=False)
    with CaptureQueriesContext(connection) as queries:
        accesses = authorization.check_access(connections)
    assert [access.expired for access in accesses] == [number == 3 for number in range(30)]
    # Users, sessions, listeners, and Django's check of the one session that is not valid by its row.
    assert len(queries) <= 4


@override_settings(REALTIME=SETTINGS)
def test_a_logout_or_a_new_password_ends_a_session() -> None:
    stays, out, other = (User.objects.create_user(name) for name in ("ann", "ben", "cat"))
    sessions = {user: _session(user) for user in (stays, out, other)}
    connections = [
        (credentials.of_user(user, session_key=str(session.session_key)), list[str]())
        for user, session in sessions.items()
    ]
    assert not any(access.expired for access in authorization.check_access(connections))
    sessions[out].flush()
    other.set_password("another")
    other.save()
    assert [access.expired for access in authorization.check_access(connections)] == [
        False,
        True,
        True,
    ]


def test_a_session_of_a_fallback_secret_key_is_valid_and_stays_unchanged() -> None:
    ann = User.objects.create_user("ann")
    with override_settings(SECRET_KEY="the former key of this site"):
        session = _session(ann)
    kept = SessionStore.get_model_class().objects.values_list("session_key", "session_data")
    before = list(kept)
    with override_settings(SECRET_KEY_FALLBACKS=["the former key of this site"]):
        credential = credentials.of_session(str(session.session_key))
        assert credential is not None
        assert credentials.valid_users({credential}) == {credential: ann}
        ann.set_password("another")
        ann.save()
        assert credentials.valid_users({credential}) == {}
    # A socket cannot send the browser a new session key.
    assert list(kept) == before


def _session(user: User) -> SessionStore:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session


def all_of_them(key: str, user_ids: set[int]) -> set[int]:
    return user_ids
