#!/usr/bin/env bash
# phonenumbers 9.0.42: a mobile number of most Caribbean states has the 42 zones of +1, not its own zone.
#
# time_zones_for_number looks up a number that is not geographical, such as a mobile number, by its country
# calling code alone. +1 is shared by 25 countries, so the answer reaches from Adak to St. John's, and
# "send at 8 in the person's zone" waits for Hawaii. The table does hold a zone for 1876 (Jamaica):
# time_zones_for_geographical_number, which skips the test, finds it. Numbers of the United States, Canada
# and Puerto Rico are not affected, because their mobile and fixed lines share one numbering range.
# Exits non-zero once phonenumbers has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.42
"$work/venv/bin/python" - <<'PY'
import sys

import phonenumbers
from phonenumbers import PhoneNumberType, timezone

print(f"phonenumbers {phonenumbers.__version__}")
changed = False
for region, own in {"JM": "America/Jamaica", "BS": "America/Nassau", "BM": "Atlantic/Bermuda"}.items():
    mobile = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    zones = timezone.time_zones_for_number(mobile)
    by_prefix = timezone.time_zones_for_geographical_number(mobile)
    print(f"{region}: {len(zones)} zones by number, {by_prefix} by prefix")
    changed |= len(zones) < 40 or by_prefix != (own,)
fixed = phonenumbers.example_number_for_type("JM", PhoneNumberType.FIXED_LINE)
print(f"JM, fixed line: {timezone.time_zones_for_number(fixed)}")
sys.exit("changed: mobile numbers of islands have their own zone" if changed else 0)
PY
