"""Content codings: which one a client wants, which bodies may have one, and making it."""
