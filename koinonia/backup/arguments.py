"""The arguments of the commands that continue from a backup."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path

from django.core.management.base import CommandParser


def add_arguments(parser: CommandParser, *, example: str) -> None:
    """Add the backup's file and ``--send-waiting``; the help ends with ``example``."""
    parser.epilog = example
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, help="a file that manage.py backup made")
    parser.add_argument(
        "--send-waiting",
        action="store_true",
        help="hold no text: nothing was sent after the backup",
    )
