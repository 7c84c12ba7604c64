"""Links from each alert to the page of the admin that helps."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from koinonia.desk import menu


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    path: str


_LISTS = {
    "hold": "delivery.breakertransition",
    "breaker": "delivery.breakertransition",
    "webhook_silence": "delivery.webhookevent",
    "dead_letters": "delivery.deadletter",
    "spend_cap": "delivery.spendlimit",
}
_QUERIES = {"dead_letters": "?age=1h"}
_DESK = "Support desk"


def page_of(rule: str, key: str) -> Page:
    """Return the page for an alert with this rule and key; the desk itself for a rule without a list."""
    label = _LISTS.get(rule)
    if label is None:
        return Page(_DESK, reverse("admin:index"))
    entry = menu.entry_of_label(label)
    name, model = entry.name if entry else _DESK, label.replace(".", "_")
    subject = key.partition(":")[2]
    if rule == "spend_cap" and subject.isdecimal():
        return Page(name, reverse(f"admin:{model}_change", args=[subject]))
    return Page(name, reverse(f"admin:{model}_changelist") + _QUERIES.get(rule, ""))
