"""How much one file may hold. Each bound is answered by a sentence when it is met."""

from __future__ import annotations

LARGEST_FILE = 5 * 2**20
"""Bytes."""
MOST_ROWS = 50_000
MOST_COLUMNS = 300
MOST_CHARACTERS_OF_A_CELL = 131_072
"""The limit of the standard library's ``csv``."""
LONGEST_NAME = 100
"""Characters: the width of the columns for names of people and groups."""
MOST_PEOPLE_OF_A_NUMBER = 50
MOST_GROUPS_OF_A_PERSON = 50
MOST_GROUPS_OF_A_FILE = 500
MOST_GROUPS_OF_A_CHURCH = 1_000
MOST_MEMBERSHIPS_OF_A_FILE = 200_000
"""People times their groups."""
MOST_REMARKS = 5_000
"""Lines of a report."""
LARGEST_UNPACKED = 40 * 2**20
"""Bytes of an unpacked workbook; its shared strings alone may take a quarter."""
MOST_INFLATION = 40
"""Unpacked bytes for each byte of a workbook. Sheets of people reach ten (20,000 rows of openpyxl)."""
ALWAYS_UNPACKED = 4 * 2**20
"""Bytes that even a small workbook may unpack to."""
MOST_SHEET_ROWS = 200_000
"""Rows of a sheet, empty ones included."""
