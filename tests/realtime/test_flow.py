"""What a client may have unread, and what an ack settles."""

from __future__ import annotations

from realtime.flow import UNACKNOWLEDGED_BYTES, Flow

HALF = UNACKNOWLEDGED_BYTES // 2 + 1


def test_an_ack_makes_room_for_what_came_before_it_and_no_more() -> None:
    flow = Flow()
    flow.sent("club:chess", 5, HALF)
    flow.sent("club:chess", 9, HALF)
    flow.acknowledge("club:chess", 4)
    assert not flow.has_room
    flow.acknowledge("club:chess", 8)
    assert flow.has_room


def test_an_ack_settles_older_frames_of_a_stream_that_was_left() -> None:
    flow = Flow()
    flow.sent("club:chess", 5, HALF)
    flow.sent("club:choir", 2, HALF)
    flow.acknowledge("club:choir", 2)
    flow.sent("club:choir", 3, HALF)
    assert flow.has_room


def test_a_stream_that_began_anew_at_a_lower_number_is_settled_too() -> None:
    flow = Flow()
    flow.sent("club:chess", 1000, HALF)
    flow.sent("club:chess", 6, HALF)
    flow.acknowledge("club:chess", 6)
    flow.sent("club:chess", 7, HALF)
    assert flow.has_room
