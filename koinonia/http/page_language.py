"""The language of the pages for people: the choice of the user, else that of the browser.

The API, the admin and the webhooks answer in English and ignore ``Accept-Language``.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

_IN_ENGLISH = ("/api/", "/admin/", "/webhooks/", "/static/")


def page_language(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return a middleware that activates the language while a page is made."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(_IN_ENGLISH):
            return get_response(request)
        language = translation.get_language_from_request(request)
        with translation.override(language):
            response = get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
            response.headers.setdefault("Content-Language", language)
        return response

    return answer
