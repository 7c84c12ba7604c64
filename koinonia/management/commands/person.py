from __future__ import annotations

import getpass
import json
import os
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from koinonia import phone
from koinonia.models import Church
from koinonia.people import personal_data

_EXAMPLE = """\
Examples:

    manage.py person export +13122000001 --to person.json
    manage.py person erase +13122000001 --church grace

An opt-out of the number stays, so that nobody texts it again.
"""


class Command(BaseCommand):
    help = "Exports or erases what is held about the person with a phone number."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _EXAMPLE
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("action", choices=["export", "erase"])
        parser.add_argument("number", help="E.164, such as +13122000001")
        parser.add_argument("--church", help="the slug of one church (default: all churches)")
        parser.add_argument("--to", type=Path, help="export: the file (default: print)")

    def handle(self, *args: Any, **options: Any) -> None:
        churches = Church.objects.order_by("pk")
        if options["church"]:
            churches = churches.filter(slug=options["church"])
            if not churches:
                raise CommandError(f"There is no church {options['church']!r}.")
        try:
            number = phone.normalise(options["number"], "US")
        except phone.UnusableNumberError as error:
            raise CommandError(str(error)) from None
        by, now = _operator(), timezone.now()
        if options["action"] == "export":
            found = personal_data.export(number, list(churches), by=by, now=now)
            self._write(json.dumps(found, cls=DjangoJSONEncoder, indent=2), options["to"])
            return
        counts = personal_data.erase(number, list(churches), by=by, now=now)
        for name, count in sorted(counts.items()):
            if name != "not_yet":
                self.stdout.write(f"{name.replace('_', ' '):<20} {count:>8} erased")
        if counts["not_yet"]:
            raise CommandError(
                f"{counts['not_yet']} texts wait or are on their way: repeat this command later."
            )

    def _write(self, text: str, to: Path | None) -> None:
        if to is None:
            self.stdout.write(text)
            return
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container may run as a user without a name.
        return f"user {os.getuid()}"
