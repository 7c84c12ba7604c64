"""Backups: the SQLite file, and the steps after the restore of either database."""
