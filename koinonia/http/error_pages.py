"""Pages for people about errors. They need no database, no session and no user."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_Words = tuple[str | Promise, str | Promise]

SENTENCES: dict[int, _Words] = {
    400: (
        _("This request cannot be used"),
        _("The address or the form was damaged on its way. Go back and try again."),
    ),
    403: (
        _("This is not for you"),
        _("Your account may not open this page. Ask an owner of your church, or the operator."),
    ),
    404: (
        _("There is nothing here"),
        _(
            "The address is wrong, the thing was deleted, or you are not on the staff of this church."
        ),
    ),
    409: (
        _("Somebody else changed this at the same time"),
        _("Nothing was done. Go back and try again: what you typed is still there."),
    ),
    500: (
        _("Something went wrong here"),
        _("It has been reported. No text is lost. Go back and try again in a moment."),
    ),
    503: (
        _("One moment, please"),
        _(
            "Koinonia cannot reach its database at the moment. No text is lost. Load this page again"
            " in a few seconds."
        ),
    ),
}
_TOO_OLD: _Words = (
    _("This page was open for too long"),
    _(
        "You have signed in again since, perhaps in another tab. Go back, load the page again, and"
        " send the form once more. Nothing you typed is lost."
    ),
)


def page(status: int) -> HttpResponse:
    """Return the page for ``status``."""
    return _page(status, SENTENCES[status])


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form with the CSRF token of another session (``CSRF_FAILURE_VIEW``)."""
    response = _page(403, _TOO_OLD)
    if request.headers.get("HX-Request") == "true":
        # The whole page is loaded again, with a new token, and restores the drafts.
        response["HX-Refresh"] = "true"
    return response


def _page(status: int, words: _Words) -> HttpResponse:
    heading, sentence = words
    shown = {"status": status, "heading": heading, "sentence": sentence}
    body = render_to_string("koinonia/error.html", shown)
    return HttpResponse(body, status=status, headers={"Cache-Control": "no-store"})
