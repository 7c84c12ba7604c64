"""Silences, the order of faults, and the verdict, without a cluster."""

from __future__ import annotations

from collections import Counter

from tests.cluster.faults import FAULTS
from tests.cluster.record import longest_silence
from tests.cluster.report import FACES, Guarantee, Report, Row
from tests.cluster.run import in_order

SILENCES = dict.fromkeys(FACES, 1.0)


def test_a_silence_counts_from_the_last_answer_before_the_fault() -> None:
    assert longest_silence([1, 4, 9, 10], begin=5, end=10) == 5


def test_a_silence_that_lasts_to_the_end_counts() -> None:
    assert longest_silence([1, 2], begin=2, end=9) == 7


def test_a_face_that_never_answered_was_silent_all_the_time() -> None:
    assert longest_silence([], begin=2, end=9) == 7


def test_each_fault_comes_once_before_any_comes_again() -> None:
    chosen = in_order(FAULTS, seed=7, minutes=30)
    assert chosen[: len(FAULTS)] == FAULTS
    assert len(chosen) > len(FAULTS)


def test_the_same_seed_gives_the_same_order() -> None:
    assert in_order(FAULTS, 3, 30) == in_order(FAULTS, 3, 30)
    assert in_order(FAULTS, 3, 30) != in_order(FAULTS, 4, 30)


def test_a_report_passes_when_all_is_ready_again_and_nothing_is_broken() -> None:
    report = Report(
        [Row("a web process is killed", 2.0, SILENCES, Counter({"502": 3}))],
        [Guarantee("accepted texts that are lost", 0)],
    )
    assert report.passed
    assert "| a web process is killed | 1.0 | 1.0 | 1.0 | 1.0 | 2.0 | 3 × 502 |" in report.lines()
    assert report.lines()[-1] == "1 of 1 faults survived; every guarantee held."


def test_a_broken_guarantee_fails_the_report() -> None:
    report = Report(guarantees=[Guarantee("accepted texts that are lost", 1)])
    assert not report.passed
    assert "BROKEN" in report.lines()[-1]


def test_a_cluster_that_is_not_ready_again_fails_the_report() -> None:
    report = Report([Row("all are cut from Redis", None, SILENCES, Counter())])
    assert not report.passed
