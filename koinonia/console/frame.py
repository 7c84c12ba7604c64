"""The base view of the pages of a church: sign-in, rights, zone and navigation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.functional import cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.generic import View
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from koinonia.accounts import devices
from koinonia.api.permissions import suffices
from koinonia.api.problems import conflict_at
from koinonia.config import log_context
from koinonia.console import memberships
from koinonia.console.parts import Frame
from koinonia.models import Church, LastChurch, Role, Staff
from koinonia.zones import zone_named
from realtime import log
from throttling.drf import LimitExceeded

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ConsoleRequest(HttpRequest):
    """A request of a page, for the type checker: ``htmx`` says whether htmx asks for a part."""

    htmx: HtmxDetails


class ConsoleView(View):
    """A page for the staff of a church. Subclasses have ``get`` and ``post`` without ``church``.

    A visitor is asked to sign in, a stranger gets 404, a role that is too low gets 403.
    """

    section: ClassVar[str] = ""
    """The line of the navigation: today, inbox, send, sent, members or more."""
    read_role: ClassVar[Role] = Role.VIEWER
    write_role: ClassVar[Role] = Role.SENDER

    request: ConsoleRequest
    membership: Staff
    memberships: list[Staff]
    frame: Frame

    @property
    def church(self) -> Church:
        return self.membership.church

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    @cached_property
    def position(self) -> log.Position:
        """Return the position in the church's stream, read before the data of the page."""
        return log.position(f"church:{self.church.slug}")

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.request.htmx = HtmxDetails(request)

    def needed_role(self) -> Role:
        """Return the lowest role that may make this request. ``membership`` is set already."""
        return self.read_role if self.request.method in SAFE else self.write_role

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = self._dispatch(request, *args, **kwargs)
        add_never_cache_headers(response)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def _dispatch(
        self, request: HttpRequest, *args: Any, church: str, **kwargs: Any
    ) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self._sign_in()
        self._find(church)
        with timezone.override(zone_named(self.church.timezone)):
            if not suffices(self.membership.role, self.needed_role()):
                return self.forbidden()
            _ = self.position
            try:
                return super().dispatch(request, *args, **kwargs)
            except LimitExceeded as refused:
                return self.busy(refused.result.retry_after)
            except DatabaseError as error:
                if conflict_at(request.path, error):
                    return self.conflict()
                raise

    def page(
        self, template: str, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """Render a page or a part of one."""
        return render(self.request, template, {**self.context(), **(context or {})}, status=status)

    def context(self) -> dict[str, Any]:
        """Return the context of the frame. ``Frame`` reads the database when the template asks it."""
        return {
            "church": self.church,
            "membership": self.membership,
            "memberships": self.memberships,
            "can_send": suffices(self.membership.role, Role.SENDER),
            "is_owner": self.membership.role == Role.OWNER,
            "position": self.position,
            "active": self.section,
            "frame": self.frame,
        }

    def ask(
        self, question: str, facts: Sequence[str], *, yes: str, back: str, **more: Any
    ) -> HttpResponse:
        """Ask the user to confirm an act that cannot be undone. The button posts to this path.

        ``more``: ``words`` of a text, ``dates`` with ``more_dates``, ``kept`` fields of the form, and
        ``no``, the words of the way back.
        """
        shown = {"question": question, "facts": facts, "yes": yes, "back": back}
        return self.page("koinonia/console/ask.html", {"no": _("Keep it"), **shown, **more})

    def forbidden(self) -> HttpResponse:
        """Return the page for a role that is too low."""
        return self.page("koinonia/console/forbidden.html", status=403)

    def busy(self, wait: int) -> HttpResponse:
        """Return the page for too many requests. The draft of the form stays in the browser."""
        shown = {"seconds": wait, "minutes": -(-wait // 60)}
        response = self.page("koinonia/console/busy.html", shown, status=429)
        response["Retry-After"] = str(wait)
        return response

    def conflict(self) -> HttpResponse:
        """Return the page for a change that lost against another. It keeps the form, to send it again.

        A browser sends no file twice: a form with a file is kept by the way back.
        """
        posted = [] if self.request.FILES else self.request.POST.lists()
        kept = [(name, value) for name, values in posted for value in values]
        shown = {"kept": [field for field in kept if field[0] != "csrfmiddlewaretoken"]}
        return self.page("koinonia/console/conflict.html", shown, status=409)

    def notice(self, sentence: str, *, accepted: str = "", level: int = messages.SUCCESS) -> None:
        """Show a sentence on the next page. ``accepted`` names a form: its draft is deleted."""
        messages.add_message(self.request, level, sentence, extra_tags=accepted)

    def go(self, path: str) -> HttpResponse:
        """Redirect after an accepted form, in whichever way the browser asked."""
        if self.request.htmx:
            return HttpResponseClientRedirect(path)
        return HttpResponseRedirect(path)

    def _find(self, slug: str) -> None:
        """Set the memberships and the one of this church. Raises Http404 for a stranger."""
        self.memberships, state = memberships.of_user(self.user, slug, timezone.now())
        if state is None:
            raise Http404(f"You are not staff of a church named {slug!r}.")
        self.membership = next(one for one in self.memberships if one.church.slug == slug)
        self.membership.user = self.user
        self.frame = Frame(self.membership, self.memberships, state, timezone.now())
        log_context.note_church(self.membership.church_id)
        self._remember()
        devices.seen(self.request.session.session_key or "", timezone.now())

    def _remember(self) -> None:
        """Note that the user opened this church last: ``/`` leads there. The session saves a query."""
        session = self.request.session
        if session.get("church") == self.membership.church_id:
            return
        session["church"] = self.membership.church_id
        LastChurch.objects.update_or_create(user=self.user, defaults={"church": self.church})

    def _sign_in(self) -> HttpResponse:
        if self.request.htmx:
            login = redirect_to_login(self._page_of_part()).url
            return HttpResponseClientRedirect(login)
        return redirect_to_login(self._page_of_part())

    def _page_of_part(self) -> str:
        """Return the path to come back to: for a part or a sent form, the page that it is on."""
        request, here = self.request, self.request.get_full_path()
        page = request.htmx.current_url if request.htmx else None
        if page is None and request.method not in SAFE:
            page = request.headers.get("Referer")
        if not page or not url_has_allowed_host_and_scheme(page, {request.get_host()}):
            return here
        split = urlsplit(page)
        return f"{split.path}?{split.query}" if split.query else split.path
