"""The whole system that ``up`` runs: it starts the parts, watches them and stops them in order."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

from koinonia.health import redis_server
from koinonia.up import probes, steps
from koinonia.up.processes import Child, Output, Program
from koinonia.up.programs import Plan

_DEMO_USERS = "grace-owner, grace-sender, grace-viewer, hope-owner"


class PortInUseError(Exception):
    """The port of a part is taken by another process."""


class System:
    """The parts of one plan. ``say`` prints a line for the person who started the system."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._say = say
        self._children: list[Child] = []
        self._lock = -1
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raise ChildFailedError or PortInUseError on failure."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        with self._plan.data_dir.held() as lock:
            self._lock = lock
            try:
                if await self._unless_stopped(self._start()):
                    self._say(_welcome(self._plan))
                    await self._unless_stopped(self._watch())
            finally:
                await self._stop_all()

    async def _unless_stopped(self, work: Awaitable[None]) -> bool:
        """Return True when ``work`` is done, False when a signal stops it; pass on its errors."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            return False
        working.result()
        return True

    async def _start(self) -> None:
        plan = self._plan
        self._refuse_taken_ports()
        plan.complete_environment()
        if plan.embedded_redis:
            await self._part("Valkey", self._child(plan.valkey()))
        else:
            for problem in await asyncio.to_thread(redis_server.problems):
                self._say(f"  Warning: {problem}")
        static = self._part("Static files", self._step(steps.collect_static))
        if await steps.is_migrated(plan):
            await static
            await asyncio.gather(self._simulator_and_parts(), self._demo_or_repair())
        else:
            await asyncio.gather(self._database(), static, *self._simulator())
            await self._part("Web and worker", self._web_and_worker())

    async def _database(self) -> None:
        await self._part("Database", self._step(steps.migrate))
        await asyncio.gather(*self._demo())

    async def _demo_or_repair(self) -> None:
        """Add the demo data unless an earlier run has. If the web process finds another database than before, migrate it first."""
        wanted = [] if await steps.is_seeded(self._plan) else self._demo()
        demo = asyncio.gather(*wanted, return_exceptions=True)
        added, is_unmigrated = await asyncio.gather(demo, self._plan.finds_unmigrated())
        if is_unmigrated:
            await self._database()
            return
        for error in added:
            if error is not None:
                raise error

    async def _simulator_and_parts(self) -> None:
        """Start web and worker after the simulator, because they read its keys once, at their start."""
        await asyncio.gather(*self._simulator())
        await self._part("Web and worker", self._web_and_worker())

    async def _web_and_worker(self) -> None:
        await asyncio.gather(self._child(self._plan.web()), self._child(self._plan.worker()))

    def _simulator(self) -> list[Awaitable[None]]:
        if not self._plan.simulated:
            return []
        return [self._part("Telnyx simulator", self._child(self._plan.simulator()))]

    def _demo(self) -> list[Awaitable[None]]:
        if not self._plan.options.demo:
            return []
        return [self._part("Demo data", self._step(steps.seed_demo))]

    async def _child(self, program: Program) -> None:
        child = Child(program, self._output(program.name), self._lock)
        self._children.append(child)
        await child.start()
        await child.wait_until_ready()

    async def _step(self, step: Callable[[Plan, Output, int], Awaitable[None]]) -> None:
        output = self._output(step.__name__)
        try:
            await step(self._plan, output, self._lock)
        finally:
            output.close()

    def _output(self, name: str) -> Output:
        return Output(name, self._plan.data_dir.logs / f"{name}.log", self._say)

    async def _watch(self) -> None:
        await asyncio.gather(*(child.keep_alive() for child in self._children))

    async def _stop_all(self) -> None:
        if self._children:
            self._say("Stopping …")
        for child in reversed(self._children):
            await child.stop()

    async def _part(self, title: str, work: Awaitable[object]) -> None:
        started = time.monotonic()
        await work
        self._say(f"  {title:<20} ready after {time.monotonic() - started:.1f} s")

    def _refuse_taken_ports(self) -> None:
        options = self._plan.options
        wanted = [("--port", options.host, options.port)]
        if self._plan.simulated:
            wanted.append(("--simulator-port", "127.0.0.1", options.simulator_port))
        for option, host, port in wanted:
            if not probes.is_free(host, port):
                raise PortInUseError(
                    f"Port {port} of {host} is in use, or not ours to use; choose another with"
                    f" {option}."
                )


def _welcome(plan: Plan) -> str:
    """Return the text on the screen once everything is ready: addresses, users, the password."""
    lines = [
        "",
        f"Koinonia is ready: {plan.url}/",
        "",
        *(_demo_users(plan) if plan.options.demo else []),
        f"  API         {plan.url}/api/docs/",
        f"  Texts       {_destination_of_texts(plan)}",
        f"  Data, logs  {plan.options.data_dir}",
        "",
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def _demo_users(plan: Plan) -> list[str]:
    return [
        f"  Sign in     {_DEMO_USERS}",
        f"  Support     support, admin (at {plan.url}/admin/)",
        f"  Password    {plan.environment['DEMO_PASSWORD']} (of all of them)",
        "  Try         As grace-sender, text a member and watch it become Delivered.",
        "",
    ]


def _destination_of_texts(plan: Plan) -> str:
    if plan.simulated:
        return "go to the Telnyx simulator; no phone gets them"
    return "are REAL: they go to Telnyx, with your TELNYX_API_KEY"
