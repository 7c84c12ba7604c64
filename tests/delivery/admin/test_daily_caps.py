"""The pages of the daily caps."""

from __future__ import annotations

import pytest
from django.test import Client

from delivery.models import SpendLimit
from koinonia.models import Church

pytestmark = pytest.mark.django_db

ADD = "/admin/delivery/spendlimit/add/"


def test_a_church_is_chosen_by_its_name_and_gets_a_cap(
    client: Client, grace: Church, hope: Church
) -> None:
    assert "Name of the church" in client.get(ADD).content.decode()
    chosen = f"{ADD}?tenant={grace.pk}"
    assert f'href="?tenant={grace.pk}"' in client.get(ADD, {"q": "grace"}).content.decode()
    form = client.get(chosen).content.decode()
    assert "A part is 160 plain letters" in form
    assert str(hope) not in form
    client.post(chosen, {"tenant": grace.pk, "cap": "500"})
    assert SpendLimit.objects.get().cap == 500


def test_a_church_with_a_cap_leads_to_its_page(client: Client, grace: Church) -> None:
    SpendLimit.objects.create(tenant=grace, cap=7)
    answer = client.get(f"{ADD}?tenant={grace.pk}")
    assert answer.headers["Location"] == f"/admin/delivery/spendlimit/{grace.pk}/change/"
    assert f"Daily cap of {grace}" in client.get(answer.headers["Location"]).content.decode()
