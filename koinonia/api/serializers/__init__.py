"""The shapes of docs/api.md, with their fields in the same order."""
