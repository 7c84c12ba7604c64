"""What an import did, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field

from koinonia.member_import.table import MOST_REMARKS


@dataclass
class Report:
    """Each row with a person counts once: as created, updated or skipped. A row whose person is
    gone counts as skipped. A refused row counts nowhere, and is among the errors."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    """Line in the file, and what is wrong with it or what a person must know of it."""
    new_groups: list[str] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    """Columns and sheets that nothing is taken from, with the reason where it is not plain."""
    remarks_left_out: int = 0

    def remark(self, line: int, told: str) -> None:
        """Add a remark; beyond the bound only their number is kept."""
        if len(self.errors) < MOST_REMARKS:
            self.errors.append((line, told))
        else:
            self.remarks_left_out += 1

    def close(self) -> None:
        """Put the remarks in the order of their lines; say how many are not shown."""
        self.errors.sort(key=lambda remark: remark[0])
        if self.remarks_left_out:
            told = (
                f"{self.remarks_left_out:,} more remarks are not shown. Correct the lines above and"
                " import the file again."
            )
            self.errors.append((self.errors[-1][0], told))
