"""Real services for the tests: one Valkey per process, one PostgreSQL per run.

pytest loads this plugin with ``-p`` (see pyproject), because settings read the environment before
any conftest runs. ``--database=sqlite`` (default) or ``--database=postgres``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support.postgres import EmbeddedPostgres
from tests.support.valkey import ValkeyServer


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgres"], default="sqlite")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    run_dir = Path(tempfile.mkdtemp(prefix="koinonia-test-"))
    early_config.add_cleanup(lambda: shutil.rmtree(run_dir, ignore_errors=True))
    valkey = ValkeyServer(run_dir)
    early_config.add_cleanup(valkey.stop)
    os.environ.update(
        DATA_DIR=str(run_dir),
        SECRET_KEY="only-for-tests-and-long-enough-to-please-the-checks-0123456789",
        REDIS_URL=valkey.url,
        PUBLIC_URL="http://testserver",
    )
    # An xdist worker uses the folder of its controller.
    os.environ.setdefault("KOINONIA_TEST_PREPARED", str(run_dir / "prepared"))
    if early_config.known_args_namespace.database == "postgres":
        _use_postgres(early_config, run_dir)
    else:
        os.environ.pop("DATABASE_URL", None)


def _use_postgres(config: pytest.Config, run_dir: Path) -> None:
    # An xdist worker uses its controller's server from the environment.
    if "KOINONIA_TEST_POSTGRES" not in os.environ:
        server = EmbeddedPostgres(run_dir / "postgres")
        config.add_cleanup(server.stop)
        os.environ["KOINONIA_TEST_POSTGRES"] = server.url
    os.environ["DATABASE_URL"] = os.environ["KOINONIA_TEST_POSTGRES"]
