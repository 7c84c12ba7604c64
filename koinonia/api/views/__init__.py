"""The views of the API, with a file per resource."""
