"""Generate three clients from the schema of a running system, use each, and check the schema: ``make clients``.

openapi-generator (python) and openapi-python-client come from PyPI, openapi-typescript and the checkers from npm;
versions are pinned in ``requirements.txt`` and ``package.json`` beside this file. All is installed
into ``build/clients``.
"""

from __future__ import annotations

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
    with (
        tempfile.TemporaryDirectory() as directory,
        RunningSystem(Path(directory) / "data") as system,
    ):
        schema = _schema_of(system)
        _lint(schema)
        _generate(schema)
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
    for made in ("og", "koinonia_opc"):
        shutil.rmtree(BUILD / made, ignore_errors=True)
    _run(str(BIN / "openapi-generator-cli"), "generate", "-i", str(schema), "-g", "python",
         "-o", "og", "--package-name", "koinonia_og", cwd=BUILD)  # fmt: skip
    _run(str(BIN / "openapi-python-client"), "generate", "--path", str(schema), "--overwrite",
         "--output-path", "koinonia_opc", "--meta", "none", cwd=BUILD)  # fmt: skip
    _run("npx", "openapi-typescript", str(schema), "-o", "schema.d.ts", cwd=BUILD)
    _run("npx", "tsc", "-p", ".", cwd=BUILD)


def _uses() -> dict[str, list[str]]:
    """Return the script for each tool's client, with the client's folder on Python's path."""
    python = str(BIN / "python")
    start = "import runpy, sys; sys.path[:0] = ['.', 'og']; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    return {
        "openapi-generator": [python, "-c", start, str(HERE / "use_openapi_generator.py")],
        "openapi-python-client": [python, "-c", start, str(HERE / "use_openapi_python_client.py")],
        "openapi-typescript": ["node", "out/use_typescript.js"],
    }


def _run(*command: str, cwd: Path = ROOT) -> None:
    """Run a command quietly; on failure print its output and exit."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}\n")
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
