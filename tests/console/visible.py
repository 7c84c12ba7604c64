"""The words that a person sees or hears of a page."""

from __future__ import annotations

from html.parser import HTMLParser

_SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-in-short", "data-found", "data-label")
_UNSEEN = ("script", "style", "template")


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        known = {name: value or "" for name, value in attrs}
        self.found += [known[name] for name in _SPOKEN if name in known]
        if tag == "input" and known.get("type", "text") in ("text", "tel", "search", "submit"):
            self.found.append(known.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data)


def visible_words(page: str) -> list[str]:
    """Return the visible texts of an HTML page, with labels and the values of fields."""
    parser = _Visible()
    parser.feed(page)
    return [" ".join(words.split()) for words in parser.found if words.strip()]
