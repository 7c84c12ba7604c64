"""Renew the Spanish catalogues: ``make translations``. New sentences get an empty translation."""

from __future__ import annotations

import sys

from tests.translations import catalogue


def main() -> int:
    """Write the catalogues, and print the sentences that lack Spanish."""
    lacking = 0
    for app in catalogue.APPS:
        renewed = catalogue.renewed(app)
        catalogue.save(app, renewed)
        for english in catalogue.untranslated(renewed):
            lacking += 1
            sys.stdout.write(f"{app} lacks: {english}\n")
    if lacking:
        sys.stdout.write(f"Write the msgstr of {lacking} sentences, then run this again.\n")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
