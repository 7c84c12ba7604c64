"""The cost of a page: its queries, and the parts of templates that it renders for each row."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from koinonia.console import trouble

MOST_QUERIES = 12


class Costs:
    """Opens pages and counts their queries. The fixture ``costs`` makes it."""

    def of(self, client: Client, path: str, *, most: int = MOST_QUERIES) -> int:
        """Open the page twice, and check the second time, when the session is known.

        The states of the accounts, which a process keeps for two seconds, are read again.
        """
        assert client.get(path).status_code == 200
        trouble.forget()
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(path).status_code == 200
        texts = [query["sql"] for query in seen.captured_queries]
        assert len(texts) <= most, "\n".join(texts)
        return len(texts)
