from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import F
from django.utils import timezone

from delivery.dead_letters import Filter, dead_letters, discard, explain, export, retry
from delivery.dead_letters.queue import masked
from delivery.models import Message
from delivery.models.queue import MessageQuerySet
from delivery.statuses import DEAD_LETTERS

_AGES = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class Command(BaseCommand):
    help = (
        "Lists, retries, discards and exports dead letters: texts that the provider did not accept. "
        "Example: manage.py dead_letters retry --code http_503"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="print the dead letters that match, newest first")
        listing.add_argument("--limit", type=int, default=50)
        showing = actions.add_parser("show", help="print one dead letter with its attempts")
        showing.add_argument("id", type=int)
        retrying = actions.add_parser("retry", help="requeue the given ids, or all that match")
        retrying.add_argument("id", type=int, nargs="*")
        retrying.add_argument(
            "--may-double", action="store_true",
            help="also retry texts that may have arrived: their recipients may get them twice",
        )  # fmt: skip
        discarding = actions.add_parser("discard", help="remove the given ids from the queue")
        discarding.add_argument("id", type=int, nargs="+")
        discarding.add_argument("--reason", required=True)
        exporting = actions.add_parser("export", help="print the dead letters that match as CSV")
        for action in (listing, retrying, exporting):
            _add_filters(action)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        letters = _matching(options).select_related("tenant")[: options["limit"]]
        for letter in letters:
            self.stdout.write(
                f"{letter.pk:>10}  {letter.dead_since:%Y-%m-%d %H:%M}  {letter.status:<7}  "
                f"{letter.error_code:<18}  {letter.tenant}  {masked(letter.to_number)}"
            )
        if not letters:
            self.stdout.write("No dead letter matches.")

    def _show(self, options: dict[str, Any]) -> None:
        letter = Message.objects.filter(pk=options["id"], status__in=sorted(DEAD_LETTERS)).first()
        if letter is None:
            raise CommandError(f"{options['id']} is not a dead letter.")
        self.stdout.write(
            f"Message {letter.pk} of {letter.tenant} to {masked(letter.to_number)}\n"
            f"{letter.status} since {letter.dead_since}: {letter.error_code} {letter.error_title}\n"
            f"{explain(letter.error_code, letter.provider)}"
        )
        if letter.discarded_at:
            self.stdout.write(f"Discarded {letter.discarded_at}: {letter.discarded_reason}")
        for attempt in letter.attempt_rows.all():
            self.stdout.write(
                f"  {attempt.number}. {attempt.started_at:%H:%M:%S}  {attempt.duration_ms} ms  "
                f"{attempt.outcome}  {attempt.http_status or '-'}  {attempt.code}"
            )

    def _retry(self, options: dict[str, Any]) -> None:
        letters = _matching(options)
        if options["id"]:
            letters = Message.objects.filter(pk__in=options["id"])
        elif not any(
            options[name] for name in ("status", "code", "error_class", "tenant", "older", "all")
        ):
            raise CommandError("Give ids, a filter, or --all.")
        result = retry(letters, by=None, now=timezone.now(), may_double=options["may_double"])
        self.stdout.write(f"{result.retried} put back into the queue.")
        for pk, code in result.refused:
            self.stderr.write(f"{pk} refused: {code}")

    def _discard(self, options: dict[str, Any]) -> None:
        for pk in options["id"]:
            letter = dead_letters().filter(pk=pk).first()
            try:
                done = letter and discard(
                    letter, by=None, reason=options["reason"], now=timezone.now()
                )
            except ValueError as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"{pk} {'discarded' if done else 'is not in the queue'}.")

    def _export(self, options: dict[str, Any]) -> None:
        for line in export(_matching(options)):
            self.stdout.write(line, ending="")


def _add_filters(parser: ArgumentParser) -> None:
    parser.add_argument("--status", choices=sorted(DEAD_LETTERS))
    parser.add_argument("--code", help="the error's code, for example 40310")
    parser.add_argument(
        "--class", dest="error_class", help="the error's class, for example permanent"
    )
    parser.add_argument("--tenant", type=int, help="key of the tenant")
    parser.add_argument(
        "--older", type=_age, metavar="AGE", help="dead for at least, for example 30m, 12h or 7d"
    )
    parser.add_argument("--all", action="store_true", help="retry every dead letter")


def _age(text: str) -> timedelta:
    try:
        return int(text[:-1]) * _AGES[text[-1:]]
    except (ValueError, KeyError, OverflowError) as error:
        raise CommandError(f"{text!r} is not an age: give a number and m, h or d.") from error


def _matching(options: dict[str, Any]) -> MessageQuerySet:
    now = timezone.now()
    before: datetime | None = now - options["older"] if options["older"] else None
    chosen = Filter(
        status=options["status"],
        code=options["code"],
        error_class=options["error_class"],
        dead_before=before,
    )
    return chosen.apply(dead_letters(options["tenant"])).order_by(
        F("dead_since").desc(nulls_last=True), "-pk"
    )
