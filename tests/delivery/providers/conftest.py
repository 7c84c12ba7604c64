from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.providers.cases import Rig
from tests.delivery.providers.receiver import Receiver, Webhook
from tests.delivery.redis_state import fresh

KINDS = sorted(path.parent.name for path in Path(__file__).parent.glob("*/rig.py"))


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, settings: Any) -> Iterator[Rig]:
    """Run the test once per provider, each time as the only configured one."""
    kind = request.param
    made = import_module(f"tests.delivery.providers.{kind}.rig").TheRig
    with Receiver(Webhook) as site, made(site, kind) as rig:
        fresh(
            settings,
            PROVIDERS={kind: rig.options()},
            DEFAULT_PROVIDER=kind,
            PROVIDER_OF=None,
            PUBLIC_URL=site.origin,
            RETRY_DELAYS=(0.01, 0.01, 0.01),
            CONNECT_TIMEOUT=2,
            READ_TIMEOUT=2,
        ).close()
        yield rig
