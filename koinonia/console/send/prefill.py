"""The values that a link fills in: ``?group=`` ``?member=`` ``?to=`` ``?broadcast=`` ``?message=`` ``?template=``."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from delivery.models import Direction, Message
from koinonia import ids
from koinonia.models import Broadcast, Church, TextTemplate


def data(church: Church, query: QueryDict) -> QueryDict | None:
    """Return the data of the form; None without anything to fill in."""
    found = QueryDict(mutable=True)
    who = [f"g:{one}" for one in query.getlist("group")]
    who += [f"m:{one}" for one in query.getlist("member")]
    who += [f"n:{one}" for one in query.getlist("to")]
    if (broadcast := _row(Broadcast.objects.filter(church=church), query, "broadcast")) is not None:
        found["text"] = broadcast.text
        found.setlist("attached", list(broadcast.media))
        who += marks_of(broadcast.audience)
    texts = Message.objects.filter(tenant=church, direction=Direction.OUTBOUND)
    if (message := _row(texts, query, "message")) is not None:
        found["text"] = message.template or message.text
        found.setlist("attached", list(message.media_urls))
        member = message.recipient_id
        who.append(f"m:{ids.encode(member)}" if member else f"n:{message.to_number}")
    if (
        template := _row(TextTemplate.objects.filter(church=church), query, "template")
    ) is not None:
        found["text"] = template.text
    if not who and not found:
        return None
    found.setlist("who", who)
    return found


def marks_of(audience: dict[str, Any]) -> list[str]:
    """Return the marks of a stored audience."""
    marks = ["all"] if audience.get("all") else []
    marks += [f"g:{one}" for one in audience.get("groups", ())]
    marks += [f"m:{one}" for one in audience.get("members", ())]
    return marks + [f"-g:{one}" for one in audience.get("exclude_groups", ())]


def with_template(church: Church, data: QueryDict) -> str:
    """Return the text of the form with the chosen template below it."""
    template = _row(TextTemplate.objects.filter(church=church), data, "template")
    written = data.get("text", "")
    if template is None:
        return written
    return f"{written.rstrip()}\n{template.text}" if written.strip() else template.text


def _row(rows: Any, query: QueryDict, name: str) -> Any:
    key = ids.decode(query.get(name, ""))
    return rows.filter(pk=key).first() if key else None
