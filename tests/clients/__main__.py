"""Generate three clients from the schema of a running system, use each, and check the schema: ``make clients``.

The programs of ``docs/guide/clients.md`` run too. openapi-generator (python) and openapi-python-client come from PyPI, openapi-typescript and the checkers from npm;
versions are pinned in ``requirements.txt`` and ``package.json`` beside this file. All is installed
into ``build/clients``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from tests.support.running_system import ROOT, RunningSystem

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "clients"
BIN = BUILD / "venv" / "bin"
NEEDED = {"java": "openapi-generator", "node": "openapi-typescript", "npm": "openapi-typescript"}
PHONES = {"openapi-generator": "+12025550161", "openapi-python-client": "+12025550162",
          "openapi-typescript": "+12025550163"}  # fmt: skip
USER = "grace-owner"


def main() -> int:
    if missing := [
        f"{name} (for {tool})" for name, tool in NEEDED.items() if not shutil.which(name)
    ]:
        sys.stderr.write(f"make clients needs {', '.join(missing)}: install it, then try again.\n")
        return 2
    _install()
    _write_guide()
    with (
        tempfile.TemporaryDirectory() as directory,
        RunningSystem(Path(directory) / "data") as system,
    ):
        schema = _schema_of(system)
        _lint(schema)
        _generate(schema)
        _run_guide(system)
        for name, command in _uses().items():
            _run(*command, system.url, USER, system.password, PHONES[name], cwd=BUILD)
            sys.stdout.write(f"{name}: generated, logged in, used, logged out.\n")
    return 0


def _install() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    if not (BIN / "python").exists():
        _run(sys.executable, "-m", "venv", str(BUILD / "venv"))
    _run(str(BIN / "python"), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt"))
    for name in (
        "package.json",
        "tsconfig.json",
        "use_typescript.ts",
        "redocly.yaml",
        "spectral.yaml",
    ):
        shutil.copy(HERE / name, BUILD / name)
    _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", cwd=BUILD)


def _write_guide() -> None:
    """Write each program of the guide's page to a file."""
    page = (ROOT / "docs" / "guide" / "clients.md").read_text()
    for name, kind, text in re.findall(
        r"^<!-- client: ([a-z-]+) -->\n```([a-z]+)\n(.*?)^```$", page, re.M | re.S
    ):
        (BUILD / f"guide-{name}.{kind}").write_text(text)


def _run_guide(system: RunningSystem) -> None:
    """Send a text by each program of the guide's page."""
    os.environ |= {"KOINONIA_URL": system.url, "KOINONIA_TOKEN": system.token(USER)}
    for name, command in _uses(guide=True).items():
        _run(*command, cwd=BUILD)
        sys.stdout.write(f"{name}: the guide's program has sent a text.\n")


def _schema_of(system: RunningSystem) -> Path:
    """Return a file with the schema from the running system."""
    answer = requests.get(f"{system.url}/api/schema/", timeout=60)
    answer.raise_for_status()
    file = BUILD / "schema.yml"
    file.write_bytes(answer.content)
    return file


def _lint(schema: Path) -> None:
    """Check the schema by the rules of ``redocly.yaml`` and ``spectral.yaml``."""
    _run("npx", "redocly", "lint", str(schema), "--config", "redocly.yaml", cwd=BUILD)
    _run("npx", "spectral", "lint", str(schema), "-r", "spectral.yaml", "-F", "hint", cwd=BUILD)
    sys.stdout.write("redocly, Spectral: the schema is clean.\n")


def _generate(schema: Path) -> None:
    for made in ("og", "koinonia_client"):
        shutil.rmtree(BUILD / made, ignore_errors=True)
    _run(str(BIN / "openapi-generator-cli"), "generate", "-i", str(schema), "-g", "python",
         "-o", "og", "--package-name", "koinonia_api", cwd=BUILD)  # fmt: skip
    _run(str(BIN / "openapi-python-client"), "generate", "--path", str(schema), "--overwrite",
         "--output-path", "koinonia_client", "--meta", "none", cwd=BUILD)  # fmt: skip
    _run("npx", "openapi-typescript", str(schema), "-o", "schema.d.ts", cwd=BUILD)
    _run("npx", "tsc", "-p", ".", cwd=BUILD)


def _uses(*, guide: bool = False) -> dict[str, list[str]]:
    """Return our script for each tool's client, or the guide's, with the client's folder on Python's path."""
    python = str(BIN / "python")
    start = "import runpy, sys; sys.path[:0] = ['.', 'og']; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    ours = {
        "openapi-generator": HERE / "use_openapi_generator.py",
        "openapi-python-client": HERE / "use_openapi_python_client.py",
        "openapi-typescript": Path("use_typescript.ts"),
    }
    files = {
        name: BUILD / f"guide-{name}{file.suffix}" if guide else file for name, file in ours.items()
    }
    return {
        name: ["node", f"out/{file.stem}.js"]
        if file.suffix == ".ts"
        else [python, "-c", start, str(file)]
        for name, file in files.items()
    }


def _run(*command: str, cwd: Path = ROOT) -> None:
    """Run a command quietly; on failure print its output and exit."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}\n")
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
