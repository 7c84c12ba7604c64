"""``make install-check``: follow docs/operations/install.md in a bare Debian 12, as its reader does. Needs root.

Exit 1: a step of the page fails. Exit 2: the check cannot run here.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.install import tree
from tests.install.page import Block, blocks
from tests.install.tree import Tree
from tests.support.running_system import ROOT

PAGE = ROOT / "docs" / "operations" / "install.md"
PASSWORD = "correct horse battery staple"
_STATE = "/root/.page"
# The reader has one shell for the whole page: folder, umask, variables and functions stay.
_SHELL = f"""\
set -e -o pipefail
if [ -e {_STATE} ]; then . {_STATE}; fi
%s
{{
    declare -f
    for name in $(compgen -v | grep '^[a-z]'); do declare -p "$name"; done
    umask -p
    printf 'cd %%q\\n' "$PWD"
}} >{_STATE}
"""
# A person does this in the browser, with the link that create_church printed.
_OPEN_THE_INVITATION = """\
cd /opt/koinonia && REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt .venv/bin/python - <<'END'
import re, requests
browser = requests.Session()
page = browser.get("LINK", timeout=20)
page.raise_for_status()
fields = dict(re.findall(r'<input type="hidden" name="(\\w+)" value="([^"]*)"', page.text))
fields |= {name: "PASSWORD" for name in re.findall(r'<input type="password" name="(\\w+)"', page.text)}
done = browser.post("LINK", data=fields, headers={"Referer": "LINK"}, timeout=20)
done.raise_for_status()
print(done.url, sorted(fields), "user:", fields["username"])
END
"""


class FailedError(Exception):
    """A step failed; the message has the end of its output."""


class Reader:
    """Follows the page, and tells each step with its seconds."""

    def __init__(self, debian: Tree) -> None:
        self.debian = debian
        self.began = time.monotonic()
        self.owner = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        say(f"== {title}")
        yield
        say(f"   {time.monotonic() - began:.1f} s")

    def run(self, commands: str, **options: object) -> str:
        done = self.debian.run(commands, **options)  # type: ignore[arg-type]
        for line in done.stdout.splitlines():
            say(f"   | {line}")
        if done.returncode:
            raise FailedError(f"exit status {done.returncode}")
        return done.stdout

    def follow(self, block: Block) -> None:
        network = block.needs_network
        where = " (with the network of this machine, for the packages)" if network else ""
        with self.step(f"{block.heading}{where}"):
            for line in block.commands.splitlines():
                say(f"   $ {line}")
            told = self.run(_SHELL % block.commands, answers=self._answers(block), network=network)
            if "apt-get" in block.commands:
                say("   Debian starts its services after the installation; here:")
                self.run("systemctl start postgresql redis-server nginx")
        link = re.search(r"^https://\S+/invitations/\S+$", told, re.MULTILINE)
        if link:
            with self.step("The owner opens the link, and chooses a password (as in a browser)"):
                script = _OPEN_THE_INVITATION.replace("LINK", link[0])
                told = self.run(script.replace("PASSWORD", PASSWORD))
                self.owner = told.rpartition("user: ")[2].strip()

    def _answers(self, block: Block) -> str:
        """Return the lines that a person types into the block."""
        if "changepassword" in block.commands:
            return f"{PASSWORD}\n{PASSWORD}\n"
        if "read -r" in block.commands:
            return f"{self.owner}\n{PASSWORD}\n"
        return ""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    options = _options()
    try:
        tree.check()
    except tree.NotPossibleError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    signal.signal(signal.SIGTERM, _end)
    with Tree() as debian:
        reader = Reader(debian)
        try:
            with reader.step("A bare Debian 12 (debootstrap)"):
                debian.make(options.base)
                say(
                    f"   The source of {debian.put_the_release('opt/koinonia')} is in /opt/koinonia."
                )
                debian.start()
            began = time.monotonic()
            for block in blocks(PAGE):
                reader.follow(block)
            say(f"The page took {time.monotonic() - began:.0f} s.")
            status = 0
        except (FailedError, tree.NotPossibleError, subprocess.TimeoutExpired) as error:
            say(f"FAILED: {error}")
            status = 1
        if options.wait:
            say(f"The tree is in {debian.root}; end with Ctrl-C.")
            _wait()
    return status


def _wait() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make install-check", description=__doc__)
    parser.add_argument("--base", type=Path, help="a folder that debootstrap made: it is copied")
    parser.add_argument(
        "--wait", action="store_true", help="keep the tree until Ctrl-C, to look around"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
