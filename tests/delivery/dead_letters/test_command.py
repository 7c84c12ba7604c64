from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from delivery.models import Attempt
from tests.delivery.dead_letters.conftest import NOW, MakeLetter

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("dead_letters", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_list_shows_waiting_letters_without_full_numbers(letter: MakeLetter) -> None:
    text = letter()
    assert str(text.pk) in (shown := run("list"))
    assert "http_503" in shown
    assert "+13125550001" not in shown
    assert run("list", "--code", "40310") == "No dead letter matches.\n"


def test_show_explains_the_error_and_lists_the_attempts(letter: MakeLetter) -> None:
    text = letter()
    Attempt.objects.create(
        message=text, number=1, started_at=NOW, duration_ms=31, outcome="retryable",
        http_status=503, code="http_503",
    )  # fmt: skip
    shown = run("show", str(text.pk))
    assert "Telnyx was not available." in shown
    assert "31 ms" in shown
    with pytest.raises(CommandError, match="not a dead letter"):
        run("show", "0")


def test_retry_without_ids_needs_a_filter(letter: MakeLetter) -> None:
    text = letter()
    with pytest.raises(CommandError, match="--all"):
        run("retry")
    assert run("retry", "--class", "retryable") == "1 put back into the queue.\n"
    assert (
        run("retry", str(text.pk)) == f"0 put back into the queue.\n{text.pk} refused: not_dead\n"
    )


def test_an_unknown_message_is_retried_only_with_may_double(
    letter: MakeLetter,
) -> None:
    text = letter("unknown")
    assert f"{text.pk} refused: may_double_required" in run("retry", "--all")
    assert run("retry", "--all", "--may-double") == "1 put back into the queue.\n"


def test_age_chooses_the_older(letter: MakeLetter) -> None:
    letter(dead_since=timezone.now() - timedelta(hours=3))
    assert run("retry", "--older", "4h").startswith("0 ")
    assert run("retry", "--older", "2h").startswith("1 ")
    with pytest.raises(CommandError, match="is not an age"):
        run("list", "--older", "soon")


def test_discard_keeps_the_reason(letter: MakeLetter) -> None:
    text = letter()
    assert run("discard", str(text.pk), "--reason", "Too late.") == f"{text.pk} discarded.\n"
    assert "Too late." in run("show", str(text.pk))
    assert run("discard", str(text.pk), "--reason", "Again.") == f"{text.pk} is not in the queue.\n"


def test_export_is_csv(letter: MakeLetter) -> None:
    text = letter()
    [row] = csv.DictReader(run("export").splitlines())
    assert (row["id"], row["explanation"][:6]) == (str(text.pk), "Telnyx")
