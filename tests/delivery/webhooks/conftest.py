from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tests.delivery.webhooks import signing


@pytest.fixture(autouse=True)
def configured(settings: Settings) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "PUBLIC_KEY": signing.public(signing.KEY)}
    settings.ROOT_URLCONF = "tests.delivery.webhooks.urls"
