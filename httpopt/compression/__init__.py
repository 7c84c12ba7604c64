"""Content codings: negotiate them, encode responses, decode request bodies."""
