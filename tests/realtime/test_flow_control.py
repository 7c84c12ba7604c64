"""The limits of one socket: unacknowledged bytes and frames per second."""

from __future__ import annotations

from pytest_django import Settings

from realtime.flow_control import MAX_UNACKNOWLEDGED_BYTES, FrameRate, SendWindow

HALF = MAX_UNACKNOWLEDGED_BYTES // 2 + 1


def test_an_ack_frees_only_the_frames_up_to_its_number() -> None:
    window = SendWindow()
    window.add("club:chess", 5, HALF)
    window.add("club:chess", 9, HALF)
    window.acknowledge("club:chess", 4)
    assert not window.has_room
    window.acknowledge("club:chess", 8)
    assert window.has_room


def test_an_ack_settles_older_frames_of_an_unsubscribed_stream() -> None:
    window = SendWindow()
    window.add("club:chess", 5, HALF)
    window.add("club:choir", 2, HALF)
    window.acknowledge("club:choir", 2)
    window.add("club:choir", 3, HALF)
    assert window.has_room


def test_an_ack_settles_a_stream_that_restarted_at_a_lower_number() -> None:
    window = SendWindow()
    window.add("club:chess", 1000, HALF)
    window.add("club:chess", 6, HALF)
    window.acknowledge("club:chess", 6)
    window.add("club:chess", 7, HALF)
    assert window.has_room


def test_after_the_burst_a_socket_sends_at_the_configured_rate(settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "FRAMES_PER_SECOND": 2, "FRAMES_BURST": 3}
    rate = FrameRate(10.0)
    assert [rate.take(10.0) for _ in range(5)] == [True, True, True, False, False]
    assert [rate.take(10.5), rate.take(10.6)] == [True, False]
    # A long silence earns only the burst.
    assert [rate.take(1000.0) for _ in range(5)] == [True, True, True, False, False]
