"""The shapes of contract section 5, fields in its order."""
