"""Members from a file of people: a CSV file, an Excel workbook or vCards.

`kinds` tells the formats apart, `decoding` and `csv_records`, `workbook`, `vcards` read them into a
`table`, `columns` says which column holds what (by the names in `header_names`), `people` makes a
person of each record (with `consent`, `departed`, `full_names` and `group_cells`), `plan` compares
them with the church, and `writing` writes the plan in short slices.
"""
