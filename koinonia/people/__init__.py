"""The people of a church as a whole: search, doubles, merges, export, deletion, personal data."""
