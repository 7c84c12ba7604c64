"""The log of opt-outs and their ends."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from delivery import opt_outs
from delivery.models import OptOut
from koinonia.models import Church

NUMBER = "+13125550111"


def test_each_change_is_logged_once(grace: Church, hope: Church, grace_sender: User) -> None:
    now = timezone.now()
    assert opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.STAFF, now=now, by=grace_sender)
    later = now + timedelta(minutes=1)
    assert not opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.KEYWORD, now=later)
    opt_outs.opt_in(grace.pk, NUMBER, at=later + timedelta(minutes=1))
    opt_outs.opt_in(grace.pk, NUMBER)
    started, stopped = opt_outs.history(grace.pk, NUMBER)
    assert (stopped.opted_out, stopped.source, stopped.at) == (True, "staff", now)
    assert stopped.by == grace_sender
    assert (started.opted_out, started.source, started.by) == (False, "keyword", None)
    assert not opt_outs.history(hope.pk, NUMBER).exists()


def test_a_start_before_the_opt_out_logs_nothing(grace: Church) -> None:
    now = timezone.now()
    opt_outs.opt_out(grace.pk, NUMBER, OptOut.Source.KEYWORD, now=now)
    opt_outs.opt_in(grace.pk, NUMBER, at=now - timedelta(minutes=1))
    assert opt_outs.history(grace.pk, NUMBER).count() == 1
