"""The whole system sends webhooks: the worker starts the process, and starts it again when it is killed."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from tests.support.running_system import RunningSystem, database_environment, free_port
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.any_database


METRICS = f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    environment = {**database_environment(), "WORKER_METRICS": METRICS}
    with RunningSystem(tmp_path_factory.mktemp("up"), **environment) as running:
        yield running


@pytest.fixture
def owner(system: RunningSystem) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {system.token('grace-owner')}"
        yield session


def sending_processes(data_dir: Path) -> list[int]:
    """Return the ids of the processes of this system that send webhooks."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"koinonia.webhooks" in command and f"DATA_DIR={data_dir}".encode() in environment:
            found.append(int(folder.name))
    return found


def test_a_text_reaches_the_receiver_also_after_the_process_was_killed(
    system: RunningSystem, owner: requests.Session
) -> None:
    church = f"{system.url}/api/v1/churches/grace/"
    assert sending_processes(system.data_dir) == []
    with WebhookReceiver() as receiver:
        body = {
            "name": "Website", "url": receiver.url,
            "types": ["message.created", "message.status"],
        }  # fmt: skip
        made = owner.post(f"{church}webhooks/", json=body).json()

        def deliver(text: str) -> None:
            sent = owner.post(f"{church}messages/", json={"to": "+13125550150", "text": text})
            key = sent.json()["id"]
            # A process that is killed during a turn has the endpoint until its lease ends.
            wait_until(lambda: (key, "delivered") in told(), 240)

        def told() -> set[tuple[str, str]]:
            events = [
                Webhook(made["secret"]).verify(one.body, one.headers) for one in receiver.received
            ]
            return {
                (event["data"]["message"], event["data"]["status"])
                for event in events
                if event["type"] == "message.status"
            }

        def settle() -> None:
            path = f"{church}webhooks/{made['id']}/deliveries/"
            wait_until(
                lambda: {one["state"] for one in owner.get(path).json()["results"]} == {"delivered"}
            )

        deliver("Hello")
        settle()  # Between two turns no lease is held, for whose end the test would wait.
        (process,) = sending_processes(system.data_dir)
        os.kill(process, signal.SIGKILL)
        deliver("Hello again")
        assert sending_processes(system.data_dir) != [process]
        settle()
    figures = requests.get(f"http://{METRICS}/metrics", timeout=60).text
    posts = re.search(r'koinonia_outgoing_posts_total\{outcome="delivered"\} (\S+)', figures)
    assert posts is not None, "The worker counts the posts of its process."
    assert float(posts[1]) >= len({one.headers["webhook-id"] for one in receiver.received})
