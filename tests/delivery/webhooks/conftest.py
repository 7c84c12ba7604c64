from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tests.delivery.accounts import with_provider
from tests.delivery.webhooks import signing


@pytest.fixture(autouse=True)
def configured(settings: Settings) -> None:
    settings.DELIVERY = with_provider(settings, PUBLIC_KEY=signing.public(signing.KEY))
    settings.ROOT_URLCONF = "tests.delivery.webhooks.urls"
