"""``/media/<token>.<ending>``: an uploaded file, for the provider and for the pages of the church."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from koinonia.models import Attachment

_SHOWN_IN_PLACE = ("image/", "audio/", "video/")


@require_safe
def serve(request: HttpRequest, token: str, ending: str) -> HttpResponse:
    """Answer with the file. The token is the only credential of a provider."""
    found = Attachment.objects.filter(token=token).values_list("content", "kind", "name").first()
    if found is None:
        raise Http404
    content, kind, name = found
    response = HttpResponse(bytes(content), content_type=kind)
    response["Cache-Control"] = "private, max-age=86400, immutable"
    # A file must not run as a page of this site.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    disposition = content_disposition_header(not kind.startswith(_SHOWN_IN_PLACE), name)
    response["Content-Disposition"] = disposition or "inline"
    return response
