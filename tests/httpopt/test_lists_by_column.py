"""A list read as columns shows what the serializer of its items shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.fields import DateTimeField
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIClient

from delivery.models import Message
from koinonia.api.serializers.messages import MessageSerializer
from koinonia.models import Church

LIST = "/api/v1/churches/grace/messages/"


@pytest.fixture
def client_of_grace(two_churches: list[tuple[User, Church]]) -> APIClient:
    client = APIClient()
    client.force_authenticate(two_churches[0][0])
    return client


def results(client: APIClient, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(LIST + query)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = json.loads(answer.content)["results"]
    return found


def test_a_list_equals_its_items(client_of_grace: APIClient) -> None:
    rows = Message.objects.filter(tenant__slug="grace").order_by("-id")
    assert {row.recipient_id is None for row in rows} == {True, False}
    several: Any = rows  # DRF is typed for one item
    items = MessageSerializer(several, many=True).data
    assert results(client_of_grace) == json.loads(JSONRenderer().render(items))


def test_a_selection_inside_a_missing_member_is_null(client_of_grace: APIClient) -> None:
    members = [one["member"] for one in results(client_of_grace, "?fields=member.name")]
    assert None in members
    assert all(one is None or list(one) == ["name"] for one in members)


def test_times_of_a_list_are_written_without_the_field(
    client_of_grace: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("The field formats each time by strftime.")

    monkeypatch.setattr(DateTimeField, "to_representation", refuse)
    assert results(client_of_grace)[0]["created_at"].endswith("Z")
