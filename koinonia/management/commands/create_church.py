from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from phonenumbers import SUPPORTED_REGIONS

from koinonia import sending_numbers
from koinonia.accounts import invitations, mail
from koinonia.models import Church, Invitation, Role
from koinonia.names import tidy
from koinonia.quiet.hours import DEFAULT_FROM, DEFAULT_UNTIL
from koinonia.sending_numbers import NumberRefusedError

_EXAMPLE = """\
Example:

    manage.py create_church "Grace Church" --owner pastor@grace.example --number +13125550100

The owner gets a link by e-mail (EMAIL_URL), opens it and chooses a password. Without a mail server,
the command prints the link: pass it on. The link works once.

Texts wait from 9 PM to 8 AM, where each number is. The church's settings change that.
"""
_MAX_SLUG_LENGTH = 50
_MAX_ADDRESS_LENGTH = 254
_MAX_TRIES = 1000


class Command(BaseCommand):
    help = "Creates a church, assigns a number to it, and invites its first owner."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = _EXAMPLE
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("name", help="the church's name")
        parser.add_argument("--owner", required=True, metavar="E-MAIL", help="the first owner")
        parser.add_argument("--number", required=True, help="the sending number, E.164")
        parser.add_argument("--slug", help="the church in URLs (default: derived from the name)")
        parser.add_argument("--country", default="US", help="ISO 3166 code (default US)")
        parser.add_argument("--timezone", default="UTC", help="such as America/Chicago")

    def handle(self, *args: Any, **options: Any) -> None:
        name = _checked(options)
        now = timezone.now()
        try:
            with transaction.atomic():
                church = Church.objects.create(
                    slug=_slug(options["slug"], name),
                    name=name,
                    country=options["country"].upper(),
                    timezone=options["timezone"],
                    quiet_from=DEFAULT_FROM,
                    quiet_until=DEFAULT_UNTIL,
                )
                number = sending_numbers.give(church, options["number"], now=now)
                invitation, token = invitations.invite(
                    church, email=options["owner"], role=Role.OWNER, invited_by=None,
                    by_operator=True, now=now,
                )  # fmt: skip
        except NumberRefusedError as error:
            raise CommandError(f"No church was created. {error}") from None
        self.stdout.write(f"{church.name} ({church.slug}) texts from {number}.")
        self._invite(invitation, token)

    def _invite(self, invitation: Invitation, token: str) -> None:
        if mail.is_delivered():
            try:
                mail.send_invitation(invitation, token)
            except mail.MailFailedError:
                self.stderr.write("The mail could not be sent (EMAIL_URL).")
            else:
                self.stdout.write(f"An invitation to be its owner went to {invitation.email}.")
                return
        self.stdout.write(
            f"Pass this link on to {invitation.email}. It works once, until"
            f" {invitation.expires_at:%Y-%m-%d %H:%M} UTC:\n{mail.invitation_link(token)}"
        )


def _checked(options: dict[str, Any]) -> str:
    name = tidy(options["name"])
    if not name or len(name) > 100:
        raise CommandError("A church needs a name of 1 to 100 visible characters.")
    try:
        validate_email(options["owner"])
    except ValidationError:
        raise CommandError(f"{options['owner']!r} is not an e-mail address.") from None
    if len(options["owner"]) > _MAX_ADDRESS_LENGTH:
        raise CommandError(f"The owner's address is longer than {_MAX_ADDRESS_LENGTH} characters.")
    if options["timezone"] not in available_timezones():
        raise CommandError(f"{options['timezone']!r} is not a time zone, such as America/Chicago.")
    if options["country"].upper() not in SUPPORTED_REGIONS:
        raise CommandError(f"{options['country']!r} is not a country's code, such as US.")
    return name


def _slug(wanted: str | None, name: str) -> str:
    if wanted:
        if slugify(wanted) != wanted or len(wanted) > _MAX_SLUG_LENGTH:
            raise CommandError(f"{wanted!r} is not a slug: small letters, digits and hyphens.")
        if Church.objects.filter(slug=wanted).exists():
            raise CommandError(f"There is a church {wanted!r} already.")
        return wanted
    base = slugify(name)[: _MAX_SLUG_LENGTH - 4].strip("-") or "church"
    for number in range(1, _MAX_TRIES):
        slug = base if number == 1 else f"{base}-{number}"
        if not Church.objects.filter(slug=slug).exists():
            return slug
    raise CommandError("Choose a --slug: all slugs derived from the name are taken.")
