"""Entity tags and preconditions (RFC 9110, sections 8.8 and 13)."""
