#!/usr/bin/env bash
# phonenumbers 9.0.42: a narrow no-break space or a tab between digits makes a number unreadable.
#
# parse() takes the no-break space U+00A0 and the ideographic space U+3000 between groups of digits. With
# U+202F, which French texts and CLDR's formats have between groups, with U+2009 or with a tab, it raises
# NumberParseException "did not seem to be a phone number". All of them are blanks to str.split(). Exits
# non-zero once phonenumbers has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.42
"$work/venv/bin/python" - <<'PY'
import sys

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

print(f"phonenumbers {phonenumbers.__version__}")
refused = []
for blank in " \u00a0\u3000\u2009\u202f\t":
    written = f"+33 1 23{blank}45{blank}67{blank}89"
    assert len(written.split()) == 6
    try:
        number = phonenumbers.parse(written, None)
        shown = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    except NumberParseException as error:
        refused.append(blank)
        shown = str(error)
    print(f"U+{ord(blank):04X}: {shown}")
sys.exit(0 if refused == ["\u2009", "\u202f", "\t"] else "changed: other blanks are read")
PY
