#!/usr/bin/env bash
# python-dateutil 4.0.0: str() of a recurrence rule drops the zone, so the text describes other moments.
#
# rrulestr() reads DTSTART with TZID and yields times in that zone. str() of the same rule writes DTSTART
# without TZID and without an offset: a program that stores str(rule) and reads it again gets naive times,
# eight o'clock in Chicago becomes eight o'clock anywhere, and there is no error. RFC 5545, 3.3.5, calls
# the form without TZID "floating". Exits non-zero once dateutil has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-dateutil==4.0.0
"$work/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

from dateutil.rrule import rrulestr

print(f"python-dateutil {version('python-dateutil')}")
given = "DTSTART;TZID=America/Chicago:20261206T080000\nRRULE:FREQ=WEEKLY;COUNT=2"
rule = rrulestr(given)
written = str(rule)
print(f"given:   {given!r}\nwritten: {written!r}")
first, again = rule[0], rrulestr(written)[0]
print(f"first time before: {first.isoformat()}, after: {again.isoformat()}")
if first.utcoffset() is None or again.utcoffset() is not None:
    sys.exit("changed: the zone of a rule survives str()")
PY
