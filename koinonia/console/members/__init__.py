"""Pages of the members: list, page, editing, import and export, doubles."""
