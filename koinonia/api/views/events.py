"""The event streams over HTTP (long polls), and tickets for the socket."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiParameter, extend_schema
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from koinonia.api.advice import NO_CHURCH
from koinonia.api.key_scopes import InScope
from koinonia.api.problems import problem, problem_response
from koinonia.api.views.base import ReportView
from koinonia.http.held_requests import hold, holdable
from realtime import http, tickets
from realtime.credentials import Credential, of_user

_QUERY = [
    OpenApiParameter("after", int, description="The last `seq` seen."),
    OpenApiParameter("epoch", str, description="The epoch of that `seq`."),
    OpenApiParameter("limit", int, description="The most events to return: 1 to 1000."),
    OpenApiParameter("wait", int, description="Seconds to wait for an event: 0 to 25."),
]


class EventsSerializer(serializers.Serializer[Any]):
    stream = serializers.CharField()
    epoch = serializers.CharField()
    to = serializers.IntegerField()
    reset = serializers.BooleanField()
    events = serializers.ListField(child=serializers.DictField())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # ``from`` is a keyword of Python.
        return {**super().get_fields(), "from": serializers.IntegerField()}


class _AccessCheck(APIView):
    """Authentication, authorization and throttling of a long poll. ``_behind`` sends the answer."""

    def allow(self, request: Request, key: str) -> Response:
        request._request.stream = (key, _credential(request))  # type: ignore[attr-defined] # read by ``_behind``
        return Response(status=status.HTTP_204_NO_CONTENT)


def _credential(request: Request) -> Credential:
    """Return the credential of this request. It may end while the request is held."""
    token = request.auth if isinstance(request.auth, AuthToken) else None
    session_key = "" if token else (request._request.session.session_key or "")
    bearer = token.digest if token else ""
    return of_user(cast(User, request.user), session_key=session_key, bearer=bearer)


class MyEventsAccess(_AccessCheck):
    permission_classes = [InScope]

    @extend_schema(parameters=_QUERY, responses=EventsSerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the events of the user's own stream."""
        return self.allow(request, f"user:{request.user.pk}")


class ChurchEventsAccess(_AccessCheck, ReportView):
    @extend_schema(parameters=_QUERY, responses=EventsSerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the events of the church's stream."""
        return self.allow(request, f"church:{self.church.slug}")


def _behind(access_check: type[_AccessCheck]) -> Any:
    """Return a view that runs ``access_check`` in a thread and then waits without one."""
    check_access = access_check.as_view()

    @csrf_exempt
    @holdable
    def events(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        decision = check_access(request, **kwargs)
        if decision.status_code != status.HTTP_204_NO_CONTENT:
            return decision
        key, credential = request.stream  # type: ignore[attr-defined] # set by ``allow``
        try:
            answer = http.answer_at_once(request, key)
        except http.BadQueryError as error:
            return problem_response(problem(400, str(error), errors=error.errors))
        return answer or hold(request, partial(_wait, request, key, credential))

    # DRF finds the class of a view in these attributes, for the schema.
    events.cls = access_check  # type: ignore[attr-defined] # as above
    events.initkwargs = {}  # type: ignore[attr-defined] # as above
    return events


async def _wait(request: HttpRequest, key: str, credential: Credential) -> HttpResponseBase:
    try:
        return await http.answer_later(request, key, credential)
    except http.RightLostError as error:
        return _access_lost(ended=error.ended)


def _access_lost(*, ended: bool) -> HttpResponseBase:
    """Answer as the next request would be answered: 401 if the login ended, else 404."""
    if not ended:
        return problem_response(problem(404, NO_CHURCH))
    answer = problem_response(problem(401, "This login or token is no longer valid."))
    answer["WWW-Authenticate"] = "Bearer"
    return answer


church_events = _behind(ChurchEventsAccess)
my_events = _behind(MyEventsAccess)


class TicketSerializer(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField()
    url = serializers.CharField()


class TicketView(APIView):
    permission_classes = [InScope]
    throttle_policies = {"POST": ["connect"]}

    @extend_schema(request=None, responses=TicketSerializer)
    def post(self, request: Request) -> Response:
        """Issue a ticket that opens one socket: `Sec-WebSocket-Protocol: koinonia.v1, ticket.…`."""
        now = timezone.now()
        ticket, expires_at = tickets.issue(_credential(request), now=now)
        scheme = "wss" if request.is_secure() else "ws"
        return Response(
            {
                "ticket": ticket,
                "expires_in": int((expires_at - now).total_seconds()),
                "url": f"{scheme}://{request.get_host()}/ws/v1/",
            }
        )
