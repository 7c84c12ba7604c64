from __future__ import annotations

import os
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from koinonia import demo


class Command(BaseCommand):
    """Example: DEMO_PASSWORD=sunday python manage.py seed_demo"""

    help = (
        "Creates the demo churches grace and hope, with their staff, members and groups. "
        "A repetition adds only missing rows. Example: DEMO_PASSWORD=sunday manage.py seed_demo"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--password",
            default=os.environ.get("DEMO_PASSWORD") or "",
            help="of all demo users (default: DEMO_PASSWORD, else a random one, printed)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = options["password"] or secrets.token_urlsafe(9)
        demo.seed(password)
        self.stdout.write(f"Demo users: {', '.join(demo.usernames())}. Password: {password}")
