"""Uploaded files that go out with texts: kinds, storage, the URL that the provider fetches."""
