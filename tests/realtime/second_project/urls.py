from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone

from realtime import authorization, credentials, log, tickets
from realtime.http import BadQueryError, RightLostError, answer
from realtime.models import Event
from realtime.protocol import stream_key
from realtime.threads import in_thread


async def events(request: HttpRequest, name: str) -> HttpResponse:
    credential = await in_thread(_credential, request)
    key = stream_key(name, credential.user_id) if credential else None
    if credential is None or key is None:
        return JsonResponse({}, status=401)
    if not await in_thread(authorization.may_listen, credential, key):
        return JsonResponse({}, status=404)
    try:
        return await answer(request, key, credential)
    except RightLostError as error:
        return JsonResponse({}, status=401 if error.ended else 404)
    except BadQueryError as error:
        return JsonResponse({"errors": error.errors}, status=400)


async def ticket(request: HttpRequest) -> HttpResponse:
    credential = await in_thread(_credential, request)
    if credential is None:
        return JsonResponse({}, status=401)
    made, _ = await in_thread(tickets.issue, credential, now=timezone.now())
    return JsonResponse({"ticket": made})


def snapshot(request: HttpRequest, name: str) -> HttpResponse:
    """Return all events of a stream; read the position before the data."""
    position = log.position(name)
    bodies = Event.objects.filter(stream__key=name).order_by("seq").values_list("body", flat=True)
    return JsonResponse({"epoch": position.epoch, "since": position.seq, "bodies": list(bodies)})


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse((Path(__file__).parent / "page.html").read_text())


def _credential(request: HttpRequest) -> credentials.Credential | None:
    return credentials.of_session(request.COOKIES.get("sessionid", ""))


urlpatterns = [
    path("events/<name>/", events),
    path("ticket/", ticket),
    path("snapshot/<name>/", snapshot),
    path("page/", page),
]
