from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from koinonia import sending_numbers
from koinonia.models import Church, SendingNumber
from koinonia.sending_numbers import NumberRefusedError

_EXAMPLE = """\
Examples:

    manage.py number list
    manage.py number give grace +13125550100
    manage.py number take +13125550100

A second number with another provider, for use while the first provider is down:

    manage.py number second grace +13125550190 --provider twilio
    manage.py number failover grace on
"""


class Command(BaseCommand):
    help = (
        "Assigns numbers to churches and releases them. A number belongs to one church. A released"
        " number stays reserved for 30 days and while texts wait to be sent from it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _EXAMPLE
        parser.formatter_class = RawDescriptionHelpFormatter
        verbs = parser.add_subparsers(
            dest="verb", required=True, metavar="give|take|list|second|failover"
        )
        give = verbs.add_parser("give", help="assign a number to a church")
        give.add_argument("church", help="the slug of the church")
        give.add_argument("number", help="E.164, such as +13125550100")
        give.add_argument("--provider", default="", help="its provider account, such as telnyx")
        second = verbs.add_parser("second", help="give a church a second number")
        second.add_argument("church", help="the slug of the church")
        second.add_argument("number", help="E.164, such as +13125550190")
        second.add_argument(
            "--provider", required=True, help="its provider account, not the first number's"
        )
        failover = verbs.add_parser(
            "failover", help="text from the second number while the first provider is down"
        )
        failover.add_argument("church", help="the slug of the church")
        failover.add_argument("use", choices=["on", "off"])
        take = verbs.add_parser("take", help="release the number of a church")
        take.add_argument("number", help="E.164")
        verbs.add_parser("list", help="list all numbers with their churches")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(**options)
        except NumberRefusedError as error:
            raise CommandError(str(error)) from None

    def _give(self, *, church: str, number: str, provider: str, **_: Any) -> None:
        found = _church(church)
        before = found.phone_number
        given = sending_numbers.give(found, number, now=timezone.now(), provider=provider)
        self.stdout.write(f"{found.name} ({found.slug}) texts from {given}.")
        if before and before != given:
            self.stdout.write(f"{before} is reserved for it.")

    def _second(self, *, church: str, number: str, provider: str, **_: Any) -> None:
        found = _church(church)
        given = sending_numbers.give_second(found, number, now=timezone.now(), provider=provider)
        self.stdout.write(f"{found.name} ({found.slug}) has {given} ({provider}) as second number.")
        if not found.uses_second_number:
            self.stdout.write(f"It is used after: manage.py number failover {found.slug} on")

    def _failover(self, *, church: str, use: str, **_: Any) -> None:
        found = _church(church)
        sending_numbers.use_second(found, use == "on")
        if use == "on":
            told = "sends new texts from its second number while the first provider is down."
        else:
            told = "sends from its first number only; its texts wait while the provider is down."
        self.stdout.write(f"{found.name} ({found.slug}) {told}")

    def _take(self, *, number: str, **_: Any) -> None:
        church = sending_numbers.take(number, now=timezone.now())
        told = (
            "has no second number now."
            if church.phone_number
            else "has no number now and cannot text until it gets one."
        )
        self.stdout.write(f"{church.name} ({church.slug}) {told}")

    def _list(self, **_: Any) -> None:
        for row in SendingNumber.objects.select_related("church").order_by("number").iterator():
            church = f"{row.church.slug} ({row.church.name})" if row.church else "a deleted church"
            until = row.reserved_until()
            waiting = sending_numbers.waiting_from(row.number)
            state = f"reserved until {until:%Y-%m-%d}" if until else "in use"
            texts = f", {waiting} texts wait" if waiting else ""
            kind = f", second number ({row.provider})" if row.second and not until else ""
            self.stdout.write(f"{row.number:<17} {church}: {state}{kind}{texts}")


def _church(slug: str) -> Church:
    found = Church.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no church {slug!r}.")
    return found
