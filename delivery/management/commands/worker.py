from __future__ import annotations

import argparse
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from delivery.signals import worker_started
from delivery.worker.supervisor import Supervisor


def _at_least_one(value: str) -> int:
    number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError("there must be at least one cluster")
    return number


class Command(BaseCommand):
    help = (
        "Sends due messages until TERM or Ctrl-C. Runs django-q2 clusters of one worker each and "
        "restarts a cluster when one of its processes is lost. Any number of these commands may run, "
        "on any number of machines. Example: manage.py worker --clusters 2"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--clusters", type=_at_least_one, default=1, help="how many clusters (default 1)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        supervisor = Supervisor(options["clusters"])
        signal.signal(signal.SIGTERM, supervisor.stop)
        signal.signal(signal.SIGINT, supervisor.stop)
        worker_started.send(sender=type(self))
        self.stdout.write(f"Sending with {options['clusters']} cluster(s).")
        supervisor.run()
