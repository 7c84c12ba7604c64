#!/usr/bin/env bash
# Django 5.2 with psycopg[binary] 3.3: each timestamptz is read by Python code, not by psycopg's C code.
#
# psycopg replaces its Python loaders by C loaders where they are installed, but Django registers a
# subclass of the Python class psycopg.types.datetime.TimestamptzLoader, because it sets the zone of each
# value, and a C loader admits no subclass. The loader of Django takes more than five times as long as the
# C loader, for equal values. Exits non-zero once Django or psycopg has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.19 'psycopg[binary]==3.3.9'
cat > "$work/loaders.py" <<'PY'
import sys
from datetime import timezone
from timeit import repeat

import django
import psycopg
from django.conf import settings
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from psycopg.pq import Format
from psycopg.types.datetime import TimestamptzLoader

settings.configure()
print(f"Django {django.__version__}, psycopg {psycopg.__version__} ({psycopg.pq.__impl__})")
oid = psycopg.adapters.types["timestamptz"].oid
of_psycopg = psycopg.adapters.get_loader(oid, Format.TEXT)
of_django = get_adapters_template(True, timezone.utc).adapters.get_loader(oid, Format.TEXT)
for name, loader in (("psycopg", of_psycopg), ("Django", of_django)):
    print(f"{name}: {loader.__module__}.{loader.__qualname__}")
text = b"2026-11-30 02:03:04.123456+00"
ours, theirs = of_django(oid).load, of_psycopg(oid).load
if ours(text) != theirs(text):
    sys.exit("changed: the two loaders disagree")
slow, quick = (min(repeat(lambda: load(text), number=20_000)) for load in (ours, theirs))
print(f"Django's loader takes {slow / quick:.0f} times as long as psycopg's")
if TimestamptzLoader not in of_django.__mro__ or TimestamptzLoader in of_psycopg.__mro__:
    sys.exit("changed: Django no longer reads timestamptz by psycopg's Python class")
try:
    type("Zoned", (of_psycopg,), {})
except TypeError as error:
    print(f"a subclass of psycopg's loader: TypeError: {error}")
else:
    sys.exit("changed: a C loader admits a subclass")
if slow < 5 * quick:
    sys.exit("changed: Django's loader is not much slower any more")
PY
"$work/venv/bin/python" "$work/loaders.py"
