#!/usr/bin/env bash
# WhiteNoise 6.12.0 answers a valid range of one byte with 416, although RFC 9110 (14.2, 15.5.17) allows that
# status only for ranges outside the file. It also serves gzip to a client that refuses gzip ("gzip;q=0",
# RFC 9110, 12.5.3). Clients send "bytes=0-0" to learn whether a server supports ranges, and how long a file is.
#
# Exits 0 while WhiteNoise does this, and 1 once it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check whitenoise==6.12.0

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import gzip
import sys
from pathlib import Path

import whitenoise
from whitenoise import WhiteNoise

root = Path(sys.argv[1]) / "static"
root.mkdir()
content = b"grace and peace " * 100
(root / "a.txt").write_bytes(content)
(root / "a.txt.gz").write_bytes(gzip.compress(content))
served = WhiteNoise(None, root=str(root), prefix="/static/").files["/static/a.txt"]


def ask(**headers):
    answer = served.get_response("GET", headers)
    body = answer.file.read() if answer.file else b""
    if answer.file:
        answer.file.close()
    print(headers, "->", int(answer.status), dict(answer.headers).get("Content-Encoding"), len(body), "bytes")
    return int(answer.status), dict(answer.headers)


one = ask(HTTP_RANGE="bytes=0-0")
two = ask(HTTP_RANGE="bytes=0-1")
refused = ask(HTTP_ACCEPT_ENCODING="gzip;q=0")
as_seen = (one[0], two[0], refused[1].get("Content-Encoding")) == (416, 206, "gzip")
print("As seen." if as_seen else "WhiteNoise has changed.")
sys.exit(0 if as_seen else 1)
PYTHON
