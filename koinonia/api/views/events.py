"""The event streams over HTTP, and tickets for the socket."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiParameter, extend_schema
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from koinonia.api.problems import MEDIA_TYPE, problem
from koinonia.api.views.base import ReportView
from koinonia.http.held_requests import hold, holdable
from realtime import http, tickets
from realtime.credentials import Credential, of_user

_QUERY = [
    OpenApiParameter("after", int, description="The last `seq` seen."),
    OpenApiParameter("epoch", str, description="The epoch it was seen in."),
    OpenApiParameter("limit", int, description="At most so many events: 1 to 1000."),
    OpenApiParameter("wait", int, description="Seconds to wait for something: 0 to 25."),
]


class EventsSerializer(serializers.Serializer[Any]):
    stream = serializers.CharField()
    epoch = serializers.CharField()
    to = serializers.IntegerField()
    reset = serializers.BooleanField()
    events = serializers.ListField(child=serializers.DictField())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # ``from`` is a word of Python.
        return {**super().get_fields(), "from": serializers.IntegerField()}


class _Gate(APIView):
    """Who may listen, decided as for every other request; the answer itself comes without a thread."""

    def let_in(self, request: Request, key: str) -> Response:
        request._request.stream = (key, _credential(request))  # type: ignore[attr-defined] # for the view below
        return Response(status=status.HTTP_204_NO_CONTENT)


def _credential(request: Request) -> Credential:
    """What the right of this request rests on: it may end while the request is held."""
    token = request.auth if isinstance(request.auth, AuthToken) else None
    session_key = "" if token else (request._request.session.session_key or "")
    bearer = token.digest if token else ""
    return of_user(cast(User, request.user), session_key=session_key, bearer=bearer)


class MyEventsGate(_Gate):
    permission_classes = [IsAuthenticated]

    @extend_schema(parameters=_QUERY, responses=EventsSerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The user's own stream."""
        return self.let_in(request, f"user:{request.user.pk}")


class ChurchEventsGate(_Gate, ReportView):
    @extend_schema(parameters=_QUERY, responses=EventsSerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The church's stream of events."""
        return self.let_in(request, f"church:{self.church.slug}")


def _behind(gate: type[_Gate]) -> Any:
    let_in = gate.as_view()

    @csrf_exempt
    @holdable
    def events(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        decision = let_in(request, **kwargs)
        if decision.status_code != status.HTTP_204_NO_CONTENT:
            return decision
        key, credential = request.stream  # type: ignore[attr-defined] # set by the gate
        try:
            answer = http.answer_at_once(request, key)
        except http.BadQueryError as error:
            return _refuse(problem(400, str(error), errors=error.errors))
        return answer or hold(request, partial(_later, request, key, credential))

    # DRF's way to find the class of a view: for the schema, and for the test of all routes.
    events.cls = gate  # type: ignore[attr-defined] # as above
    events.initkwargs = {}  # type: ignore[attr-defined] # as above
    return events


async def _later(request: HttpRequest, key: str, credential: Credential) -> HttpResponseBase:
    try:
        return await http.answer_later(request, key, credential)
    except http.RightLostError as error:
        return _no_longer(ended=error.ended)


def _no_longer(*, ended: bool) -> JsonResponse:
    """As the next request would be answered."""
    if not ended:
        return _refuse(problem(404, "Not found."))
    answer = _refuse(problem(401, "This login or token is not valid any more."))
    answer["WWW-Authenticate"] = "Bearer"
    return answer


def _refuse(body: dict[str, Any]) -> JsonResponse:
    return JsonResponse(
        body,
        status=body["status"],
        content_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store"},
    )


church_events = _behind(ChurchEventsGate)
my_events = _behind(MyEventsGate)


class TicketSerializer(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField()
    url = serializers.CharField()


class TicketView(APIView):
    permission_classes = [IsAuthenticated]
    throttle_policies = {"POST": ["connect"]}

    @extend_schema(request=None, responses=TicketSerializer)
    def post(self, request: Request) -> Response:
        """A single-use right to open one socket: `Sec-WebSocket-Protocol: koinonia.v1, ticket.…`."""
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
