"""Parts of pages that renew themselves: the module ``delivery/renew.js`` fetches them with their entity tag."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response, patch_cache_control

EVERY_SECONDS = 5


def part(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Return a part of a page, or 304 if the browser has this version.

    Wrap the view in ``admin_view(…, cacheable=True)``, because ``no-store`` forbids the entity tag.
    """
    response = HttpResponse(render_to_string(template, context, request=request))
    patch_cache_control(response, private=True, no_cache=True)
    digest = hashlib.blake2b(response.content, digest_size=12).hexdigest()
    response.headers["ETag"] = f'"{digest}"'
    found = get_conditional_response(request, etag=response.headers["ETag"], response=response)
    if not isinstance(found, HttpResponse):
        raise TypeError("The response of a part is an HttpResponse.")
    return found
