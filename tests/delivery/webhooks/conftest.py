from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tests.delivery.accounts import with_provider
from tests.delivery.webhooks import signing
from tests.delivery.webhooks.shells import ApplicationShell, Shell, ViewShell


@pytest.fixture(autouse=True)
def configured(settings: Settings) -> None:
    settings.DELIVERY = with_provider(settings, PUBLIC_KEY=signing.public(signing.KEY))
    settings.ROOT_URLCONF = "tests.delivery.webhooks.urls"


@pytest.fixture(
    params=[
        pytest.param(ViewShell, id="view", marks=pytest.mark.django_db),
        # Its writer has a connection of its own.
        pytest.param(
            ApplicationShell, id="application", marks=pytest.mark.django_db(transaction=True)
        ),
    ]
)
def shell(request: pytest.FixtureRequest, configured: None) -> Shell:
    made: Shell = request.param()
    return made
