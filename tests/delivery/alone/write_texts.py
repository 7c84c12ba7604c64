"""``python -m tests.delivery.alone.write_texts 40 1 [Hello]`` writes 40 messages of a new gym, in
one batch."""

from __future__ import annotations

import sys

import django
from django.utils import timezone

if __name__ == "__main__":
    django.setup()

    from delivery.accept import accept_batch
    from delivery.drafts import Draft
    from tests.delivery.alone.host.models import Gym

    gym = Gym.objects.create(number=f"+131255501{int(sys.argv[2]):02}")
    text = sys.argv[3] if len(sys.argv) > 3 else "Hello"
    drafts = [Draft(to=f"+1312556{number:04}", text=text) for number in range(int(sys.argv[1]))]
    accept_batch(gym, drafts, batch=int(sys.argv[2]), now=timezone.now())
