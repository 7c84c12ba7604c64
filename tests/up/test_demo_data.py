"""``up`` adds the demo data once, and again whenever it is gone or its password is another."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from koinonia.up import steps
from koinonia.up.processes import Output
from koinonia.up.programs import Options, Plan

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio]


def plan_of(data_dir: Path, word: str = "sunday") -> Plan:
    options = Options(
        host="127.0.0.1", port=1, simulator_port=2, data_dir=data_dir, workers=1, demo=True,
        simulator=False,
    )  # fmt: skip
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    given = {"DATA_DIR": str(data_dir), "SECRET_KEY": "secret", "DEMO_PASSWORD": word}
    redis = {"REDIS_URL": f"unix://{data_dir}/valkey.sock"}
    return Plan(options, {**kept, **given, **redis})


async def do(step: Callable[[Plan, Output, int], Awaitable[None]], plan: Plan) -> None:
    output = Output("step", plan.options.data_dir / "step.log", print)
    lock = os.open(plan.options.data_dir / "lock", os.O_CREAT)
    try:
        await step(plan, output, lock)
    finally:
        os.close(lock)
        output.close()


async def test_demo_data_is_added_once_and_again_after_its_loss(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    await do(steps.migrate, plan)
    assert not await steps.is_seeded(plan)
    await do(steps.seed_demo, plan)
    assert await steps.is_seeded(plan)
    assert not await steps.is_seeded(plan_of(tmp_path, word="monday"))
    with closing(sqlite3.connect(tmp_path / "koinonia.sqlite3")) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("DELETE FROM auth_user")
        database.commit()
    assert not await steps.is_seeded(plan)
