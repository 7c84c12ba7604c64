"""The report of a run: a row for each fault, the guarantees, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

FACES = ("API", "sockets", "delivery", "healthz")


@dataclass(frozen=True)
class Row:
    """The effects of one fault: seconds of silence by face, and the errors of clients by kind."""

    fault: str
    recovered: float | None
    """Seconds from the end of the fault until every web process was ready; None: not in time."""
    silences: dict[str, float]
    errors: Counter[str]


@dataclass(frozen=True)
class Guarantee:
    name: str
    broken: int
    note: str = ""


@dataclass
class Report:
    rows: list[Row] = field(default_factory=list)
    guarantees: list[Guarantee] = field(default_factory=list)
    load: list[str] = field(default_factory=list)
    """Sentences about the work during the run."""

    @property
    def passed(self) -> bool:
        recovered = all(row.recovered is not None for row in self.rows)
        return recovered and not any(guarantee.broken for guarantee in self.guarantees)

    def lines(self) -> list[str]:
        """Return the report as Markdown."""
        heads = ["fault", *(f"{face}, s" for face in FACES), "ready again, s", "errors of clients"]
        out = [_row(heads), _row(["---"] * len(heads)), *(self._cells(row) for row in self.rows)]
        out += ["", *(f"- {sentence}" for sentence in self.load), ""]
        out += [_row(["guarantee", "broken", "note"]), _row(["---"] * 3)]
        out += [_row([one.name, str(one.broken), one.note]) for one in self.guarantees]
        survived = sum(row.recovered is not None for row in self.rows)
        verdict = "every guarantee held" if self.passed else "A GUARANTEE IS BROKEN"
        return [*out, "", f"{survived} of {len(self.rows)} faults survived; {verdict}."]

    def _cells(self, row: Row) -> str:
        silences = [f"{row.silences[face]:.1f}" for face in FACES]
        recovered = "not in time" if row.recovered is None else f"{row.recovered:.1f}"
        return _row([row.fault, *silences, recovered, kinds(row.errors)])


def kinds(errors: Counter[str]) -> str:
    return ", ".join(f"{count} × {kind}" for kind, count in errors.most_common()) or "none"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
