#!/usr/bin/env bash
# phonenumbers 9.0.42: a label behind a number, as address books write it, is dialled as digits.
#
# parse() takes three letters or more for a vanity number (1-800-FLOWERS) and converts all letters of the
# text by the keypad, also those of "(Home)". The result has too many digits, parse() raises nothing, and
# is_possible_number is False. In front of the number the same label is skipped. Exits non-zero once
# phonenumbers has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.42
"$work/venv/bin/python" - <<'PY'
import sys

import phonenumbers
from phonenumbers import PhoneNumberFormat

print(f"phonenumbers {phonenumbers.__version__}")
read = {}
for text in ("312 555 0101", "312 555 0101 (Home)", "Home: 312 555 0101"):
    number = phonenumbers.parse(text, "US")
    read[text] = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    print(f"{text!r} -> {read[text]}, possible: {phonenumbers.is_possible_number(number)}")
expected = ["+13125550101", "+131255501014663", "+13125550101"]
sys.exit(0 if list(read.values()) == expected else "changed: labels are read in another way")
PY
