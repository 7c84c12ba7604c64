"""Exercises one of the apps with UUID keys for users. A test runs it in a separate process."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import django


def may_listen(user: Any, key: str) -> bool:
    return key == f"club:{user.username}"


def realtime(user: Any) -> None:
    from django.db import transaction
    from django.test import Client
    from django.utils import timezone

    from realtime import authorization, credentials, log, notices, rights, tickets
    from realtime.log import NewEvent
    from realtime.protocol import stream_key
    from realtime.retention import prune
    from realtime.socket_counts import SocketCounts

    office, now = Client(), timezone.now()
    office.force_login(user)
    credential = credentials.of_session(office.session.session_key or "")
    assert credential is not None
    assert credential.user_id == user.pk
    own, club = stream_key("user:me", user.pk), f"club:{user.username}"
    assert own is not None
    with transaction.atomic():
        log.append(
            {own: [NewEvent("hello", {"to": "you"})], club: [NewEvent("hello", {})]}, now=now
        )
    assert log.position(own).seq == log.position(club).seq == 1
    assert authorization.may_listen(credential, own)
    assert authorization.may_listen(credential, club)
    assert not authorization.may_listen(credential, "club:other")
    ticket, _ = tickets.issue(credential, now=now)
    redeemed = tickets.redeem(ticket, now=now)
    assert redeemed == credential
    assert redeemed.user() == user
    assert (
        tickets.redeem(tickets.issue(credential, now=now)[0], now=now + timedelta(hours=1)) is None
    )
    with patch.object(notices, "publish") as publish:
        rights.changed(user.pk)
    json.dumps(publish.call_args.args[1])  # The channel layer accepts plain values only.
    one, two = SocketCounts(), SocketCounts()
    one.exchange({user.pk: 3}, now)
    two.exchange({}, now)
    assert two.elsewhere(user.pk) == 3
    prune(now + timedelta(days=100))


def throttling(user: Any) -> None:
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone
    from rest_framework.response import Response
    from rest_framework.test import APIRequestFactory, force_authenticate
    from rest_framework.views import APIView

    from throttling.drf import PolicyThrottle
    from throttling.logins import prune
    from throttling.models import Allowance, LoginAddress

    class Hello(APIView):
        throttle_classes = [PolicyThrottle]
        throttle_policies = ["api"]

        def get(self, request: Any) -> Response:
            return Response({})

    def ask() -> int:
        request = APIRequestFactory().get("/")
        force_authenticate(request, user)
        return int(Hello.as_view()(request).status_code)

    call_command("throttle", "reset", "--user", user.username)
    assert [ask() for _ in range(3)] == [200, 200, 429]
    call_command("throttle", "show", "--user", user.username)
    call_command(
        "throttle",
        "allow",
        "--user",
        user.username,
        "--expires",
        "2099-01-01 10:00",
        "--note",
        "a test",
    )
    assert Allowance.objects.get().user == user
    assert ask() == 200
    office = Client()
    office.force_login(user)
    for name in ("allowance", "throttlestate"):
        assert office.get(reverse(f"admin:throttling_{name}_changelist")).status_code == 200
    assert (
        office.get(
            reverse("admin:throttling_allowance_change", args=[Allowance.objects.get().pk])
        ).status_code
        == 200
    )
    LoginAddress.objects.remember("name", "192.0.2.1", now=timezone.now())
    assert LoginAddress.objects.knows("name", "192.0.2.1", now=timezone.now())
    prune(timezone.now())


def httpopt(user: Any) -> None:
    from django.contrib.auth import get_user_model
    from rest_framework import serializers
    from rest_framework.generics import ListAPIView
    from rest_framework.test import APIRequestFactory, force_authenticate

    from httpopt.views import SparseFieldsMixin, VersionedViewMixin

    class PersonSerializer(serializers.ModelSerializer[Any]):
        class Meta:
            model = get_user_model()
            fields = ("id", "username", "date_joined")

    class People(SparseFieldsMixin, VersionedViewMixin, ListAPIView[Any]):
        serializer_class = PersonSerializer
        queryset = get_user_model().objects.order_by("pk")
        collections = ("people",)

        def get_version_tenant(self) -> int:
            return 1

        def get_rights(self) -> str:
            return str(self.request.user.pk)

    def ask(**headers: str) -> Any:
        request = APIRequestFactory().get("/?fields=id,date_joined", headers=headers)
        force_authenticate(request, user)
        return People.as_view()(request).render()

    first = ask()
    assert first.status_code == 200
    assert first.data[0]["id"] == str(user.pk)
    written = PersonSerializer(user).data["date_joined"]
    assert first.data[0]["date_joined"] == written, (first.data, written)
    assert ask(**{"If-None-Match": first["ETag"]}).status_code == 304


if __name__ == "__main__":
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    person = get_user_model().objects.create_superuser("grace", "g@example.org", "grace grace")
    {"realtime": realtime, "throttling": throttling, "httpopt": httpopt}[os.environ["OTHER_APP"]](
        person
    )
    sys.stdout.write("done")
