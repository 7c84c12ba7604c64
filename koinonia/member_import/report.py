"""The result of an import, or of its dry run."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from koinonia.member_import.table import MAX_REMARKS
from koinonia.numbers import grouped


@dataclass
class Report:
    """Counts and remarks of an import.

    Each row with a person counts once, as created, updated or skipped. A row of a departed person
    counts as skipped. A rejected row is in ``errors`` only.
    """

    created: int = 0
    updated: int = 0
    skipped: int = 0
    departed: int = 0
    """People who have died or are inactive, part of ``skipped``."""
    rejected: int = 0
    """Rows that are in ``errors`` only."""
    errors: list[tuple[int, str]] = field(default_factory=list)
    """Line in the file, and an error or a remark for the user."""
    new_groups: list[str] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    """Ignored columns and sheets, some with a reason."""
    remarks_left_out: int = 0
    names: dict[int, str] = field(default_factory=dict)
    """Line to the name of the person that a remark is about."""

    @property
    def already_here(self) -> int:
        return self.skipped - self.departed

    @property
    def not_imported(self) -> int:
        return self.departed + self.rejected

    def remark(self, line: int, sentence: str, name: str = "") -> None:
        """Add a remark about the person ``name``; count the remarks beyond ``MAX_REMARKS``."""
        if len(self.errors) < MAX_REMARKS:
            self.errors.append((line, sentence))
            if name:
                self.names[line] = name
        else:
            self.remarks_left_out += 1

    def close(self) -> None:
        """Sort the remarks by line and add the number of omitted remarks."""
        self.errors.sort(key=lambda remark: remark[0])
        if self.remarks_left_out:
            sentence = _(
                "%(number)s more remarks are not shown. Correct the lines above and import the file"
                " again."
            )
            self.errors.append(
                (self.errors[-1][0], sentence % {"number": grouped(self.remarks_left_out)})
            )
