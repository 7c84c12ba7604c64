"""The control API: how a test or a developer changes the simulator while it runs.

GET   /               options, faults by name
GET   /ledger         ?after=0&limit=1000&to=+1…   {total, next, entries}
GET   /ledger/summary requests, accepted, unique, replays, refused, duplicates, webhooks
GET   /numbers        the account's own; while none was named, every sender is allowed
POST  /numbers        {add?: […], remove?: […]}; any other sender is refused
GET   /opt-outs, /auto-replies, /faults
POST  /faults         {fault, count?, probability?, seed?, for_seconds?, to?, seconds?, code?,
                      retry_after?}; without count, probability and for_seconds: the next request
DELETE /faults        removes all faults
POST  /inbound        {from, to, text, media_urls?}
POST  /latency        {ms}
POST  /outage         {on, mode?}  mode: refuse (default), 503, close
POST  /webhooks       {on?, url?, failover_url?}
POST  /settings       any of the options
POST  /reset
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

from delivery.providers.simulator.account import Account
from delivery.providers.simulator.faults import FaultTable
from delivery.providers.simulator.server import Answer, Request, json_answer

_PLANNING = ("count", "probability", "seed", "for_seconds", "to")
_SHAPING = ("seconds", "code", "retry_after")
_LARGEST_PAGE = 10_000
OUTAGES = ("refuse", "503", "close")


class Switches(Protocol):
    """Actions of the server itself."""

    def start_outage(self, mode: str) -> None: ...

    def end_outage(self) -> None: ...

    def reset(self) -> None: ...


class Control:
    webhook_options: ClassVar[Mapping[str, str]] = {"on": "webhooks", "url": "webhook_url"}
    """Names in ``POST /webhooks`` and the options that they set."""

    def __init__(self, account: Account, switches: Switches, faults: FaultTable) -> None:
        self._account, self._switches, self._faults = account, switches, faults
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/"): self._overview,
            ("GET", "/ledger"): self._ledger,
            ("GET", "/ledger/summary"): self._summary,
            ("GET", "/numbers"): self._numbers,
            ("POST", "/numbers"): self._change_numbers,
            ("GET", "/opt-outs"): lambda request: {"opt_outs": account.opt_out_resources()},
            ("GET", "/auto-replies"): lambda _: {"auto_replies": account.auto_reply_resources()},
            ("GET", "/faults"): lambda request: {"faults": account.plan.resources()},
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): self._clear_faults,
            ("POST", "/inbound"): self._inbound,
            ("POST", "/latency"): self._latency,
            ("POST", "/outage"): self._outage,
            ("POST", "/webhooks"): self._webhooks,
            ("POST", "/settings"): self._settings,
            ("POST", "/reset"): self._reset,
        }

    def answer(self, request: Request) -> Answer:
        """Return 200 with JSON, or 400 ``{"error"}`` that names the mistake."""
        route = self._routes.get((request.method, request.path.rstrip("/") or "/"))
        if route is None:
            return json_answer({"error": f"There is no {request.method} {request.path}."}, 404)
        try:
            return json_answer(route(request))
        except ValueError as error:
            return json_answer({"error": str(error)}, 400)

    def _overview(self, request: Request) -> dict[str, Any]:
        names = {name: found.meaning for name, found in self._faults.items()}
        return {"options": dataclasses.asdict(self._account.options), "faults": names}

    def _ledger(self, request: Request) -> dict[str, Any]:
        asked = request.parameters()
        limit = min(int(asked.get("limit", 1000)), _LARGEST_PAGE)
        after = int(asked.get("after", 0))
        if after < 0 or limit < 1:
            raise ValueError("after must be 0 or more, limit 1 or more.")
        to = asked.get("to")
        # A plus sign that was not percent-encoded arrives as a space.
        return self._account.ledger.page(after, limit, to and to.replace(" ", "+"))

    def _summary(self, request: Request) -> dict[str, Any]:
        return self._account.ledger.summary() | {"webhooks": self._account.webhooks.counts()}

    def _numbers(self, request: Request) -> dict[str, Any]:
        return {"numbers": self._account.numbers.all()}

    def _change_numbers(self, request: Request) -> dict[str, Any]:
        asked = _asked(request, ("add", "remove"))
        for name in ("add", "remove"):
            numbers = asked.get(name, [])
            if not isinstance(numbers, list) or not all(isinstance(one, str) for one in numbers):
                raise ValueError(f"{name} must be a list of numbers, as strings.")
        self._account.numbers.add(asked.get("add", []))
        self._account.numbers.remove(asked.get("remove", []))
        return self._numbers(request)

    def _add_fault(self, request: Request) -> dict[str, Any]:
        asked = _asked(request, ("fault", *_PLANNING, *_SHAPING))
        shaping = {name: asked[name] for name in _SHAPING if name in asked}
        planning = {name: asked[name] for name in _PLANNING if name in asked}
        if not {"count", "probability", "for_seconds"} & planning.keys():
            planning["count"] = 1
        for name in ("count", "probability", "seed", "for_seconds", "seconds"):
            _check_number(asked, name)
        found = self._faults.shaped(str(asked.get("fault")), **shaping)
        return self._account.plan.add(found, **planning).resource()

    def _clear_faults(self, request: Request) -> dict[str, Any]:
        self._account.plan.clear()
        return {"faults": []}

    def _inbound(self, request: Request) -> dict[str, Any]:
        asked = _asked(request, ("from", "to", "text", "media_urls"))
        sender, to, text = asked.get("from"), asked.get("to"), asked.get("text")
        if not isinstance(sender, str) or not isinstance(to, str):
            raise ValueError("from and to are required, as strings.")
        media = tuple(asked.get("media_urls") or ())
        if not isinstance(text, str) and not media:
            raise ValueError("text is required, as a string, where there are no media_urls.")
        if not self._account.options.webhook_url:
            raise ValueError("There is no webhook URL: see --webhook-url, POST /webhooks.")
        return self._account.receive(from_=sender, to=to, text=text, media_urls=media)

    def _latency(self, request: Request) -> dict[str, Any]:
        return self._change({"latency_ms": _asked(request).get("ms", 0)})

    def _outage(self, request: Request) -> dict[str, Any]:
        asked = _asked(request, ("on", "mode"))
        mode = asked.get("mode", "refuse")
        if mode not in OUTAGES or not isinstance(asked.get("on"), bool):
            raise ValueError(f"on must be true or false, mode one of {', '.join(OUTAGES)}.")
        if asked["on"]:
            self._switches.start_outage(mode)
        else:
            self._switches.end_outage()
        return {"outage": mode if asked["on"] else None}

    def _webhooks(self, request: Request) -> dict[str, Any]:
        names = self.webhook_options
        asked = _asked(request, tuple(names))
        return self._change({names[name]: value for name, value in asked.items()})

    def _settings(self, request: Request) -> dict[str, Any]:
        return self._change(_asked(request))

    def _change(self, changes: dict[str, Any]) -> dict[str, Any]:
        self._account.options.change(changes)
        return {"options": dataclasses.asdict(self._account.options)}

    def _reset(self, request: Request) -> dict[str, Any]:
        self._switches.reset()
        return {"reset": True}


def _asked(request: Request, known: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return the JSON object in the body; raise ValueError for anything else and unknown names."""
    try:
        asked = json.loads(request.body)
    except ValueError as error:
        raise ValueError("The body is not JSON.") from error
    if not isinstance(asked, dict):
        raise ValueError("The body must be a JSON object.")
    unknown = asked.keys() - set(known) if known is not None else set()
    if unknown:
        raise ValueError(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(known or ())}.")
    return asked


def _check_number(asked: dict[str, Any], name: str) -> None:
    value = asked.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name} must be a number, 0 or more; it is {value!r}.")
