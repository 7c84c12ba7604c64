"""Members from a file of people: a CSV file, an Excel workbook or vCards.

`file` is the entry. `kinds` detects the format; `decoding`, `csv_records`, `workbook` and `vcards`
read it into a `table`; `columns` finds the meaning of each column by `header_names`; `people` turns
each record into a person, with `consent` (in any language: `consent_languages`), `departed` and `name_cells`; `comparison` compares the
people with the church; `writing` writes the plan in short slices.
"""
