"""The targets of the comparison with the build before: figures, bounds, and the benchmarks that measure them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Compared(Enum):
    """The divisor of a figure of this tree."""

    BEFORE = "the same figure of the build before"
    ALONE = "nothing: the figure itself has a bound"
    OTHER = "a figure of another run of this tree"


@dataclass(frozen=True)
class Run:
    """A benchmark with its arguments."""

    benchmark: str
    arguments: tuple[str, ...] = ()
    also_before: bool = True
    """True if the other build is measured too."""

    @property
    def title(self) -> str:
        return " ".join([self.benchmark, *self.arguments])


@dataclass(frozen=True, kw_only=True)
class Target:
    work: str
    run: Run
    figure: str
    bound: float
    at_least: bool = False
    compared: Compared = Compared.ALONE
    other: Run | None = None
    before: float | None = None
    """The figure of commit 49aea07, where its own benchmark does not print it in a readable form."""

    @property
    def told(self) -> str:
        sign, unit = "≥" if self.at_least else "≤", "" if self.compared is Compared.ALONE else " x"
        return f"{sign} {self.bound:.4g}{unit}"

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


POSTGRES = Run("bench_system.py")
SQLITE = Run("bench_system.py", ("--database", "sqlite"))
WEBHOOKS = Run("bench_webhooks.py")
WEBHOOKS_AT_1000 = Run(
    "bench_webhooks.py",
    ("--rate", "1000", "--rounds", "0", "--server", "daphne"),
    also_before=False,
)
HTTP = Run("bench_httpopt.py")
ACCEPT = Run("bench_accept.py")
LOG = Run("bench_realtime_log.py")
DELIVERY = Run("bench_delivery.py")
MEMORY = Run("bench_memory.py", also_before=False)
CONSOLE = Run("bench_console.py", also_before=False)
HOOKS = Run("bench_hooks.py", also_before=False)

TARGETS = (
    Target(
        work="CPU per delivered text, PostgreSQL, ms",
        run=POSTGRES, figure="cpu_per_text", bound=1 / 3, compared=Compared.BEFORE,
    ),
    Target(
        work="end to end, PostgreSQL, texts/s",
        run=POSTGRES, figure="texts_per_second", bound=3, at_least=True, compared=Compared.BEFORE,
    ),
    Target(
        work="CPU per webhook, daphne, ms",
        run=WEBHOOKS, figure="webhook_cpu_daphne", bound=0.3, compared=Compared.BEFORE,
    ),
    Target(
        work="CPU per webhook, uvicorn with httptools, ms",
        run=WEBHOOKS, figure="webhook_cpu_uvicorn", bound=0.22, compared=Compared.BEFORE,
    ),
    Target(
        work="webhook p99 at 1,000/s, ms", run=WEBHOOKS_AT_1000, figure="webhook_p99", bound=250,
    ),
    Target(
        work="webhooks refused at 1,000/s", run=WEBHOOKS_AT_1000, figure="webhook_refused", bound=0,
    ),
    Target(
        work="a 304 of a list, to the plain list",
        run=HTTP, figure="list_304_to_plain", bound=0.15, before=0.25,
    ),
    Target(
        work="the list of 50, uncached, to the plain list",
        run=HTTP, figure="list_of_50_to_plain", bound=0.5, before=0.74,
    ),
    Target(
        work="end to end, SQLite to PostgreSQL",
        run=SQLITE, figure="texts_per_second", bound=0.9, at_least=True,
        compared=Compared.OTHER, other=POSTGRES,
    ),
    Target(
        work="POST broadcast of 5,000, to bulk_create",
        run=ACCEPT, figure="broadcast_5000_to_bulk_create", bound=1.2, before=1.5,
    ),
    Target(
        work="POST broadcast of 50,000, to a bare COPY",
        run=ACCEPT, figure="broadcast_50000_to_copy", bound=10,
    ),
    Target(
        work="single append, PostgreSQL, to bare psycopg",
        run=LOG, figure="append_to_psycopg", bound=0.8, at_least=True, before=0.61,
    ),
    Target(
        work="lateness of a retry under webhooks, p95, s",
        run=DELIVERY, figure="retry_lateness_p95", bound=0.2, before=1.3,
    ),
    Target(
        work="memory of web after 100,000 texts, to after 1,000",
        run=MEMORY, figure="memory_growth_web", bound=1.2,
    ),
    Target(
        work="memory of worker after 100,000 texts, to after 1,000",
        run=MEMORY, figure="memory_growth_worker", bound=1.2,
    ),
    Target(
        work="the slowest page of the console, p95, to GET /login/",
        run=CONSOLE, figure="console_p95_to_login", bound=5,
    ),
    Target(
        work="statements of a page of the console, at most",
        run=CONSOLE, figure="console_queries", bound=12,
    ),
    Target(
        work="first visit of the heaviest page, kB", run=CONSOLE, figure="console_first_visit", bound=60,
    ),
    Target(
        work="next visit of the heaviest page, kB", run=CONSOLE, figure="console_next_visit", bound=8,
    ),
    Target(
        work="search of 50,000 members, p95, to a look-up",
        run=CONSOLE, figure="search_p95_to_look_up", bound=3,
    ),
    Target(
        work="outgoing webhooks, events/s", run=HOOKS, figure="hooks_rate", bound=500, at_least=True,
    ),
    Target(
        work="outgoing webhooks, to a pool of requests",
        run=HOOKS, figure="hooks_to_requests", bound=0.5, at_least=True,
    ),
    Target(
        work="p99 of a webhook beside a dead receiver, to alone",
        run=HOOKS, figure="hooks_dead_receiver", bound=1.5,
    ),
)  # fmt: skip
