"""The arithmetic of the guarantees, without a cluster."""

from __future__ import annotations

from tests.cluster.judgement import of_texts, wrongly_admitted
from tests.cluster.record import Admission


def test_a_text_in_the_ledger_once_for_each_recipient_is_kept() -> None:
    judged = of_texts({"one": 1, "all": 2}, [("+1", "one"), ("+1", "all"), ("+2", "all")])
    assert (judged.lost, judged.doubled, judged.examples) == (0, 0, [])


def test_a_missing_recipient_is_lost() -> None:
    judged = of_texts({"all": 3}, [("+1", "all"), ("+2", "all")])
    assert (judged.lost, judged.doubled) == (1, 0)
    assert judged.examples == ["lost: all (1)"]


def test_a_second_entry_for_one_recipient_is_doubled_and_hides_no_loss() -> None:
    judged = of_texts({"all": 2}, [("+1", "all"), ("+1", "all")])
    assert (judged.lost, judged.doubled) == (1, 1)


def test_a_text_whose_client_got_no_answer_is_no_fault() -> None:
    assert of_texts({}, [("+1", "unanswered")]).lost == 0


def _at(*times: float) -> list[Admission]:
    return [Admission(time, time) for time in times]


def test_a_burst_and_what_flows_in_are_admitted_rightly() -> None:
    assert wrongly_admitted(_at(0, 0, 0, 1, 2, 3), burst=3, per_second=1).requests == 0


def test_a_request_beyond_the_burst_is_counted() -> None:
    assert wrongly_admitted(_at(0, 0, 0, 0, 0), burst=3, per_second=1).requests == 2


def test_the_worst_interval_may_begin_late() -> None:
    assert wrongly_admitted(_at(0, 100, 100, 100, 100), burst=3, per_second=1).requests == 1


def test_a_slow_answer_leaves_the_bucket_time_to_fill() -> None:
    late = [Admission(0, 0), Admission(0, 2), Admission(2, 2)]
    assert wrongly_admitted(late, burst=1, per_second=1).requests == 0


def test_each_process_counts_on_its_own_while_redis_is_away() -> None:
    admitted = _at(0, 0, 11, 11, 11, 11, 21, 21)
    assert wrongly_admitted(admitted, burst=2, per_second=0).requests == 6
    away = [(10.0, 20.0)]
    assert wrongly_admitted(admitted, burst=2, per_second=0, away=away).requests == 2
    assert wrongly_admitted(admitted, 2, 0, away=away, processes=2).requests == 0
