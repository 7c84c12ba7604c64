from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from throttling import conf, inspection
from throttling.buckets import BucketsUnavailableError
from throttling.inspection import BucketReport, Subject
from throttling.models import Allowance

EXAMPLES = """\
examples:
  manage.py throttle show                              buckets that refuse most, and the allowlist
  manage.py throttle show --user grace-sender
  manage.py throttle reset --address 203.0.113.9
  manage.py throttle show --bucket broadcasts:grace
  manage.py throttle allow --address 203.0.113.0/24 --note "The office" --expires 7d
  manage.py throttle allow --user grace-sender --policy messages --note "Easter"
  manage.py throttle revoke 12
"""

AUTHOR = "(by manage.py throttle)"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Command(BaseCommand):
    help = "Show and reset rate limits, and edit the allowlist."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name,
            subcommand,
            epilog=EXAMPLES,
            formatter_class=RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, text in (
            ("show", "show buckets; without options: buckets that refuse most, and the allowlist"),
            ("reset", "fill the buckets of a user or an address, or one bucket"),
        ):
            action = actions.add_parser(name, help=text)
            _add_subject(action)
            action.add_argument("--bucket", help="the name of one bucket, as shown")
        allow = actions.add_parser("allow", help="add an entry to the allowlist")
        _add_subject(allow)
        allow.add_argument("--token", default="", help="prefix by which the API token is listed")
        allow.add_argument(
            "--policy", action="append", default=[], help="only this policy (may be repeated)"
        )
        allow.add_argument("--expires", type=_expiry, help="7d, 12h, 30m, or a date and time")
        allow.add_argument("--note", default="", help="why the entry exists")
        revoke = actions.add_parser("revoke", help="delete an entry of the allowlist")
        revoke.add_argument("id", type=int, help="the number of the entry, as shown")

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(options)
        except BucketsUnavailableError as error:
            alias = conf.cache_alias()
            reason = f"{error}" or type(error.__cause__).__name__
            raise CommandError(
                f"The Redis of CACHES[{alias!r}] does not answer: {reason}"
            ) from error

    def _show(self, options: dict[str, Any]) -> None:
        subject = _subject(options)
        if subject == Subject():
            self._show_refusals()
            self._show_allowlist()
            return
        shown = inspection.look(subject)
        for bucket in shown:
            self.stdout.write(_line(bucket))
        if not shown:
            self.stdout.write("No bucket is in use.")

    def _show_refusals(self) -> None:
        self.stdout.write("Most refusals in the last hour:")
        for name, times, user in inspection.most_refused():
            self.stdout.write(f"  {times:>7}  {name}{f' ({user})' if user else ''}")

    def _show_allowlist(self) -> None:
        self.stdout.write("Allowlist:")
        for row in Allowance.objects.select_related("user").order_by("pk"):
            self.stdout.write(f"  {row.pk:>7}  {row}{_end(row)}: {row.note}")

    def _reset(self, options: dict[str, Any]) -> None:
        subject = _subject(options)
        if subject == Subject():
            raise CommandError("Name a --user, an --address or a --bucket.")
        count = inspection.reset([bucket.name for bucket in inspection.look(subject)])
        self.stdout.write(f"{count} bucket{'' if count == 1 else 's'} filled.")

    def _allow(self, options: dict[str, Any]) -> None:
        row = Allowance(
            user_id=_user_key(options["user"]) if options["user"] else None,
            network=options["address"] or "",
            token=options["token"],
            policies=",".join(options["policy"]),
            expires_at=options["expires"],
            # A command has no user for created_by.
            note=f"{options['note']} {AUTHOR}".strip(),
        )
        try:
            row.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        row.save()
        self.stdout.write(f"Entry {row.pk}: {row} is not limited from the next request on.")

    def _revoke(self, options: dict[str, Any]) -> None:
        row = Allowance.objects.filter(pk=options["id"]).first()
        if row is None:
            raise CommandError(f"The allowlist has no entry {options['id']}.")
        row.delete()
        self.stdout.write(f"{row} is limited again from the next request on.")


def _add_subject(parser: ArgumentParser) -> None:
    parser.add_argument("--user", help="a user name")
    parser.add_argument("--address", help="an IP address")


def _subject(options: dict[str, Any]) -> Subject:
    name = options["user"]
    address = options["address"]
    if address and inspection.prefix_of(address) is None:
        raise CommandError(f"{address!r} is not an IP address.")
    found = inspection.user_key(name) if name else None
    return Subject(user=found, name=name, address=address, bucket=options["bucket"])


def _user_key(name: str) -> str:
    key = inspection.user_key(name)
    if key is None:
        raise CommandError(f"No user is called {name!r}.")
    return key


def _end(row: Allowance) -> str:
    if row.expires_at is None:
        return ""
    word = "ended" if row.expires_at <= timezone.now() else "until"
    zone = " UTC" if settings.USE_TZ else ""
    return f", {word} {row.expires_at:%Y-%m-%d %H:%M}{zone}"


def _line(bucket: BucketReport) -> str:
    state = bucket.state
    wait = f", next in {bucket.wait} s" if bucket.wait else ""
    full = f", full in {bucket.full_in} s" if bucket.full_in else ", full"
    rate = bucket.policy.rate
    return f"{bucket.name:<48} {state.remaining:>6} of {rate.burst} left ({rate}){wait}{full}"


def _expiry(text: str) -> datetime:
    now = timezone.now()
    try:
        moment = _moment(text, now)
    except (ValueError, OverflowError):
        # The day does not exist, or it is too far away.
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"{text!r} is neither such as 7d, 12h or 30m nor a date and time.")
    if moment <= now:
        raise ArgumentTypeError(f"{text!r} is not in the future.")
    return moment


def _moment(text: str, now: datetime) -> datetime | None:
    length = re.fullmatch(r"(\d+)([smhd])", text)
    if length is not None:
        return now + timedelta(**{_UNITS[length[2]]: int(length[1])})
    moment = parse_datetime(text)
    if moment is None:
        return None
    moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    # A project without time zones stores local times.
    return moment.astimezone(UTC) if settings.USE_TZ else timezone.make_naive(moment)
