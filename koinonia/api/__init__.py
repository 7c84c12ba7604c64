"""The HTTP API, ``/api/v1/`` (contract section 5)."""
