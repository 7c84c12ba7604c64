"""Run axe-core and own checks in a page. ``evaluate`` runs under every content policy."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

_SOURCE = Path(__file__).parent / "axe" / "axe.min.js"
_EDGES = Path(__file__).parent / "edges.js"
_RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
    .filter(({impact}) => ['serious', 'critical'].includes(impact))
    .map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map(({html}) => html.slice(0, 160)).join(' | ')}`)"""
_COVERED = """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
    .filter((one) => one.checkVisibility() && !one.closest('.notices'))
    .filter((one) => {
        one.scrollIntoView({block: 'center'});
        const {left, top, width, height} = one.getBoundingClientRect();
        const seen = document.elementFromPoint(left + width / 2, top + height / 2);
        return seen && !one.contains(seen) && !seen.contains(one) && !one.labels?.[0]?.contains(seen);
    }).map((one) => one.outerHTML.slice(0, 160))"""
_SMALL = """() => [...document.querySelectorAll('button, .button, nav a, select, input:not([type=hidden])')]
    .filter((one) => one.checkVisibility() && !one.closest('.visually-hidden'))
    .filter((one) => (one.closest('label.check, fieldset label') ?? one).getBoundingClientRect().height < 43.5)
    .map((one) => one.outerHTML.slice(0, 160))"""

_THIN = """() => [...document.querySelectorAll('main .rows a:not(.button)')]
    .filter((one) => one.checkVisibility())
    .filter((one) => {
        one.scrollIntoView({block: 'center'});
        const {left, top, height} = one.getBoundingClientRect();
        const hit = (y) => document.elementFromPoint(left + 4, top + height / 2 + y)?.closest('a') === one;
        return !hit(-20) || !hit(20);
    }).map((one) => one.outerHTML.slice(0, 160))"""


@cache
def _axe() -> str:
    return _SOURCE.read_text()


def serious_faults(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical, with the first places."""
    page.evaluate(_axe())
    found: list[str] = page.evaluate(_RUN)
    return found


def faint_edges(page: Page) -> list[str]:
    """Return the controls with an edge or a focus ring that contrasts less than 3:1."""
    found: list[str] = page.evaluate(_EDGES.read_text())
    return found


def covered_controls(page: Page) -> list[str]:
    """Return the controls that something covers when they are scrolled into view."""
    found: list[str] = page.evaluate(_COVERED)
    return found


def small_targets(page: Page) -> list[str]:
    """Return the controls, and the links of rows, that a thumb of 44 px misses."""
    found: list[str] = page.evaluate(_SMALL)
    rows: list[str] = page.evaluate(_THIN)
    return found + rows


def is_too_wide(page: Page) -> bool:
    """Return whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
