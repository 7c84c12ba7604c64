"""The task of each task queue: one POST with the id of the task as its idempotency key.

A library that is not installed has no task here. A library that can repeat a failed task by an option of
its decorator has that option, with as many repeats as ``delivery`` makes.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

import requests
from django.conf import settings

THREADS = 64
"""As many as the threads of delivery's worker."""
VISIBILITY_SECONDS = 30
"""As long as the leases of delivery; the default of Celery on Redis is an hour."""
_kept = threading.local()


def post(text: str, key: str) -> None:
    """Post one text, over the kept connection of the thread."""
    if not hasattr(_kept, "session"):
        _kept.session = requests.Session()
        _kept.session.trust_env = False
    body = json.dumps({"from": "+13125550001", "to": "+13125560002", "text": text})
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    url = f"{os.environ['BENCH_SINK']}/messages"
    _kept.session.post(url, data=body, headers=headers, timeout=10).raise_for_status()


def q2_send(text: str, key: str) -> None:
    """Run as a task of django-q2, which does not tell a task its id: the caller gives the key."""
    post(text, key)


if find_spec("celery"):
    from celery import Celery

    celery_app = Celery("bench")
    celery_app.conf.update(
        broker_url=f"redis+socket://{settings.REDIS_SOCKET}?virtual_host=2",
        broker_transport_options={"visibility_timeout": VISIBILITY_SECONDS},
        broker_connection_retry_on_startup=True,
        task_acks_late=os.environ.get("BENCH_QUEUE") == "Celery, acks_late",
    )

    @celery_app.task(  # type: ignore[untyped-decorator]  # Celery has no types
        bind=True, autoretry_for=(requests.RequestException,), max_retries=3, retry_backoff=1
    )
    def celery_send(self: Any, text: str) -> None:
        post(text, self.request.id)


if find_spec("django_tasks_db"):
    from django_tasks import TaskContext, task

    @task(takes_context=True)
    def django_send(context: TaskContext, text: str) -> None:
        post(text, str(context.task_result.id))


if find_spec("procrastinate"):
    from procrastinate import JobContext, RetryStrategy
    from procrastinate.contrib.django import app

    _threads = ThreadPoolExecutor(THREADS)

    @app.task(pass_context=True, retry=RetryStrategy(max_attempts=4, exponential_wait=2))
    async def procrastinate_send(context: JobContext, text: str) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(_threads, post, text, f"job-{context.job.id}")

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
    async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
        """Retry the jobs of lost workers, as the manual of procrastinate advises."""
        for job in await app.job_manager.get_stalled_jobs():
            await app.job_manager.retry_job(job)
