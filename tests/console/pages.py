"""The cost of a page: its queries, and that none of them reads the texts of the church one by one."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

MOST_QUERIES = 12


class Costs:
    """Opens pages and counts their queries. The fixture ``costs`` makes it."""

    def of(self, client: Client, path: str, *, most: int = MOST_QUERIES) -> int:
        """Open the page twice, and check the second time: sessions and caches are warm then."""
        assert client.get(path).status_code == 200
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(path).status_code == 200
        texts = [query["sql"] for query in seen.captured_queries]
        assert len(texts) <= most, "\n".join(texts)
        return len(texts)
