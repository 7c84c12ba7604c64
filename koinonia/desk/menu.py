"""The menu of the admin: its pages by job, under the names that a support person understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu. ``model``: its label in lower case, or ``""`` for a page without a model."""

    model: str
    name: str
    about: str


FIND = Entry("", "Find a text", "By a whole number, an id, or by church and time: its whole story.")

SECTIONS: dict[str, tuple[Entry, ...]] = {
    "To do now": (
        Entry(
            "delivery.deadletter",
            "Dead letters",
            "Texts that could not be sent: retry, assign, discard.",
        ),
        Entry("delivery.retryrun", "Retries", "The results of retries of many dead letters."),
        Entry(
            "delivery.breakertransition",
            "Provider accounts",
            "Stop and start all sending, and read who did so before.",
        ),
        Entry("delivery.tenantstop", "Stopped churches", "Stop and start the texts of one church."),
        Entry("delivery.slowdown", "Slowdowns", "Send fewer parts a second for some hours."),
        Entry("koinonia.alert", "Alerts", "Troubles that the operators were told about."),
    ),
    "Look up": (
        FIND,
        Entry("delivery.optout", "Opt-outs", "Numbers that get no texts of a church."),
        Entry(
            "delivery.stoprequest",
            "Requests to stop",
            "Texts that ask to stop in words of their own. The office decides.",
        ),
        Entry(
            "delivery.webhookevent",
            "Webhooks of providers",
            "Reports about texts as they came, and those that fit no text.",
        ),
        Entry(
            "throttling.throttlestate",
            "Rate limits",
            "See why a person or a program is refused, and let them go on.",
        ),
        Entry("koinonia.sendingnumber", "Sending numbers", "The numbers of each church."),
        Entry("koinonia.keyword", "Keywords", "Words that join a group."),
    ),
    "Settings": (
        Entry("delivery.spendlimit", "Daily caps", "The parts that a church may send in 24 hours."),
        Entry("throttling.allowance", "Allowlist", "Users and addresses without rate limits."),
    ),
    "Churches and people": (
        Entry("koinonia.church", "Churches", "Number, time zone and quiet hours."),
        Entry("koinonia.staff", "Staff", "The users of each church, and their roles."),
        Entry("koinonia.invitation", "Invitations", "Links for new staff, mainly first owners."),
        Entry("koinonia.member", "Members", "The people who get texts."),
        Entry("koinonia.group", "Groups", "The groups of members."),
        Entry("auth.user", "Users", "Who may sign in."),
        Entry("auth.group", "Rights", "Groups of users with the same rights, such as Support."),
    ),
}
_OTHERS = "Other pages"
_BY_MODEL = {entry.model: entry for entries in SECTIONS.values() for entry in entries}


def entry_of(opts: Any) -> Entry | None:
    """Return the entry of a model's ``_meta``; None for a model without one."""
    label = getattr(opts, "label_lower", "")
    return _BY_MODEL.get(label) if label else None


def named(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return pages, as Django's admin lists them, with the names of the menu."""
    return [_named(page, entry_of(page["model"]._meta)) for page in pages]


def grouped(pages: list[dict[str, Any]], request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections of the menu with those of ``pages``, in the form of Django's list of apps."""
    by_label = {page["model"]._meta.label_lower: page for page in pages}
    if request.user.has_perm("delivery.find_message"):
        by_label[FIND.model] = {
            "object_name": "Find",
            "admin_url": reverse("desk-find"),
            "add_url": None,
            "view_only": True,
            "perms": {},
        }
    sections = []
    for name, entries in SECTIONS.items():
        shown = [one for one in entries if one.model in by_label]
        sections.append(_section(name, [_named(by_label.pop(one.model), one) for one in shown]))
    sections.append(_section(_OTHERS, [_named(page, None) for page in by_label.values()]))
    return [section for section in sections if section["models"]]


def _named(page: dict[str, Any], entry: Entry | None) -> dict[str, Any]:
    return {**page, "name": entry.name, "about": entry.about} if entry else page


def _section(name: str, pages: list[dict[str, Any]]) -> dict[str, Any]:
    label = name.lower().replace(" ", "-")
    return {
        "name": name,
        "app_label": label,
        "app_url": "",
        "has_module_perms": True,
        "models": pages,
    }
