"""Read the results of a run: the carrier's ledger, and the church's list of received texts."""

from __future__ import annotations

from collections.abc import Iterable

from tests.cluster.traffic import Client, Site


def ledger(site: Site) -> list[tuple[str, str]]:
    """Return recipient and words of each text that the carrier has accepted."""
    found: list[tuple[str, str]] = []
    after: int | None = 0
    while after is not None:
        page = site.carrier_control("GET", f"/ledger?after={after}&limit=10000")
        found += [(entry["to"], entry["text"]) for entry in page["entries"]]
        after = page["next"]
    return found


def head(client: Client) -> int:
    """Return the number of the last event of the church, or -1 without an answer."""
    answer = client.ask("GET", "/api/v1/churches/grace/events/")
    return int(answer.json()["to"]) if answer is not None else -1


def missing_inbound(site: Site, client: Client, texts: Iterable[str]) -> int:
    """Return how many ``texts`` of phones are not in the church's list."""
    path = "/api/v1/churches/grace/messages/?direction=inbound&page_size=200&fields=text"
    wanted, found = set(texts), set[str]()
    while path:
        answer = client.ask("GET", path)
        if answer is None:
            return len(wanted)
        body = answer.json()
        found |= {message["text"] for message in body["results"]}
        path = (body["next"] or "").removeprefix(site.url)
    return len(wanted - found)
