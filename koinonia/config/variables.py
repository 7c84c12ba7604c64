"""The list of the environment variables, read from the docstrings of the values in this package.

``python -m koinonia.config.variables`` prints ``docs/operations/settings.md``.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from koinonia.config import rate_limits, secret_files

_FOLDER = Path(__file__).parent
_DOCUMENTED = re.compile(r"(?P<name>[A-Z][A-Z_]+(?:<POLICY>)?)(?:: (?P<text>.+))?", re.DOTALL)
_SECTIONS = {
    "environment": "The installation",
    "delivery_limits": "Delivery",
    "twilio_account": "Twilio",
    "retention_days": "Deletion of old rows",
    "alert_rules": "Alerts",
}
_INTRODUCTION = """\
# The environment variables

This page is made from the code: `python -m koinonia.config.variables > docs/operations/settings.md`. A test compares it.

Each process reads the variables once, at its start. It names all bad values together and exits with 2. An empty variable
counts as not set. [install.md](install.md) shows the ones that a server needs, and `manage.py check --deploy` names the
ones that are missing, dangerous or probably misspelt.
"""
_SECRETS = """\
## Secrets from files

Each of these variables may come from a file. Set the variable with `_FILE` to the path, such as
`SECRET_KEY_FILE=/run/credentials/koinonia-web@1.service/secret_key`. Koinonia removes white space around the content.
It is an error to set both, and an error if the file is absent or empty. All commands read the files too.
"""


@dataclass(frozen=True)
class Variable:
    name: str
    text: str
    section: str


def every() -> list[Variable]:
    """Return each variable that the package documents, in the order of the code."""
    modules = [_FOLDER / f"{module}.py" for module in _SECTIONS]
    further = sorted(set(_FOLDER.glob("*.py")) - {*modules, Path(__file__)})
    return [found for module in [*modules, *further] for found in _documented_in(module)]


def names() -> set[str]:
    """Return the name of each variable that the project reads, and its form with ``_FILE``."""
    listed = {found.name for found in every() if "<" not in found.name}
    listed |= {f"THROTTLE_{policy.upper()}" for policy in rate_limits.NAMES}
    return listed | {f"{name}_FILE" for name in secret_files.NAMES}


def page() -> str:
    """Return the text of ``docs/operations/settings.md``."""
    lines = [_INTRODUCTION]
    section = ""
    for found in every():
        if found.section != section:
            section = found.section
            lines += [
                *([""] if lines[1:] else []),
                f"## {section}",
                "",
                "| variable | meaning |",
                "| --- | --- |",
            ]
        text = found.text.replace("``", "`").replace("|", "\\|")
        lines.append(f"| `{found.name}` | {text} |")
    lines += ["", _SECRETS]
    lines.append(", ".join(f"`{name}`" for name in secret_files.NAMES) + ".")
    return "\n".join(lines) + "\n"


def _documented_in(module: Path) -> list[Variable]:
    found: list[Variable] = []
    section = _SECTIONS.get(module.stem) or module.stem.replace("_", " ").capitalize()
    for klass in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(klass, ast.ClassDef):
            continue
        for field, after in zip(klass.body, klass.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr):
                found += _variable(after.value, section)
    return found


def _variable(docstring: ast.expr, section: str) -> list[Variable]:
    if not (isinstance(docstring, ast.Constant) and isinstance(docstring.value, str)):
        return []
    told = _DOCUMENTED.fullmatch(" ".join(docstring.value.split()))
    if told is None:
        return []
    return [Variable(told["name"], told["text"] or "", section)]


if __name__ == "__main__":
    sys.stdout.write(page())
