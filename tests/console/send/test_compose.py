"""The page that sends a text, without JavaScript: each button sends the form."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from delivery.cancel import cancel_message
from delivery.models import Message, OptOut
from delivery.opt_outs import opt_out
from koinonia.broadcasts.cancel import cancel_broadcast
from koinonia.broadcasts.due import accept_due
from koinonia.console.sent.base import UNDO_FOR
from koinonia.ids import encode
from koinonia.models import AuditEntry, Broadcast, Church, Group, Member, Series, TextTemplate
from tests.console.pages import Costs
from tests.support import cast

SEND = "/churches/grace/send/"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 10


def post(sender: Client, action: str = "send", **values: Any) -> Any:
    return sender.post(SEND, {"form": "one", "action": action, **values})


def mark(row: Any) -> str:
    return f"{'g' if isinstance(row, Group) else 'm'}:{encode(row.pk)}"


def test_one_person_is_found_chosen_and_texted(sender: Client, anna: Member) -> None:
    found = post(sender, "find", find="lee", text="Hi {first_name}")
    assert f'value="add:{mark(anna)}"' in found.content.decode()
    chosen = post(sender, f"add:{mark(anna)}", find="lee", text="Hi {first_name}")
    page = chosen.content.decode()
    assert f'name="who" value="{mark(anna)}"' in page
    assert "Hi {first_name}</textarea>" in page
    sent = post(sender, who=mark(anna), text="Hi {first_name}")
    assert sent.status_code == 302
    message = Message.objects.get()
    assert (message.text, message.status) == ("Hi Anna", "scheduled")
    assert message.scheduled_at == message.created_at + UNDO_FOR
    assert AuditEntry.objects.get().action == "message.sent"
    assert "On its way to 1 person." in sender.get(SEND).content.decode()


@pytest.mark.parametrize("name", ["find", "without"])
def test_words_that_name_nobody_yet_are_not_passed_over(
    sender: Client, anna: Member, name: str
) -> None:
    refused = post(sender, who=mark(anna), text="Hi", **{name: "every"})
    assert refused.status_code == 422
    assert "“every” is not chosen yet." in refused.content.decode()
    assert not Message.objects.exists()


def test_a_typed_number_is_texted(sender: Client, grace: Church) -> None:
    found = post(sender, "find", find="(312) 555-0199").content.decode()
    assert 'value="add:n:+13125550199"' in found
    assert post(sender, who="n:+13125550199", text="Hi").status_code == 302
    assert Message.objects.get().to_number == "+13125550199"


def test_groups_and_people_are_texted_together_without_an_excluded_group(
    sender: Client, grace: Church, anna: Member
) -> None:
    choir, youth = (Group.objects.create(church=grace, name=name) for name in ("Choir", "Youth"))
    ben, zoe = cast.member(grace, "Ben", "+13125550112"), cast.member(grace, "Zoë", "+13125550113")
    choir.members.set([ben, zoe])
    youth.members.set([zoe])
    who = [mark(choir), mark(anna), f"-{mark(youth)}"]
    assert post(sender, who=who, text="Hi").status_code == 302
    broadcast = Broadcast.objects.get()
    assert broadcast.audience == {
        "groups": [encode(choir.pk)], "members": [encode(anna.pk)],
        "exclude_groups": [encode(youth.pk)],
    }  # fmt: skip
    assert (broadcast.total, broadcast.status) == (2, "scheduled")
    assert AuditEntry.objects.get().detail == {"texts": 2}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"text": "Hi"}, "Choose who gets the text"),
        ({"find": "anna", "text": "Hi"}, "“anna” is not chosen yet."),
        ({"who": "all", "text": " "}, "Write a text first."),
        ({"who": "all", "text": "Hi {name}"}, "{first_name} is probably meant."),
        ({"who": "all", "text": "x" * 1601}, "This is longer than 1600 letters. Shorten it."),
        ({"who": "all", "text": "Hi", "date": "2027-01-03"}, "Choose the time of the day, too."),
        ({"who": "all", "text": "Hi", "date": "2020-01-01", "time": "08:00"}, "in the future"),
        ({"who": "all", "text": "Hi", "link": "http://10.0.0.1/x.png"}, "public on the internet"),
        ({"who": ["all", "n:+13125550199"], "text": "Hi"}, "is texted alone"),
        ({"who": ["all", "m:Uk99"], "text": "Hi"}, "no longer exists"),
        ({"who": "m:Uk99", "text": "Hi"}, "a colleague has deleted it. Choose again."),
    ],
)
def test_a_refused_text_comes_back_with_what_was_typed(
    sender: Client, anna: Member, values: dict[str, Any], sentence: str
) -> None:
    refused = post(sender, **values)
    page = refused.content.decode()
    assert (refused.status_code, sentence in page) == (422, True), page
    assert str(values["text"]).strip() in page
    assert not Message.objects.exists()
    assert not Broadcast.objects.exists()


def test_more_than_fifty_people_are_texted_after_a_question(sender: Client, grace: Church) -> None:
    Member.objects.bulk_create(
        Member(church=grace, first_name=f"M{number}", phone=f"+1312555{number:04}")
        for number in range(51)
    )
    asked = post(sender, who="all", text="Hi {first_name}")
    page = asked.content.decode()
    assert (asked.status_code, Broadcast.objects.count()) == (200, 0)
    assert "Send this to 51 people?" in page
    assert all(f"Hi M{number}" in page for number in range(3))
    back = post(sender, "edit", who="all", text="Hi {first_name}").content.decode()
    assert "Hi {first_name}</textarea>" in back
    cast.member(grace, "Anna", "+13125550111", last_name="New")
    more = post(sender, "confirmed", who="all", text="Hi {first_name}", people="51")
    assert "Send this to 52 people?" in more.content.decode()
    sent = post(sender, "confirmed", who="all", text="Hi {first_name}", people="52")
    assert (sent.status_code, Broadcast.objects.get().total) == (302, 52)


def test_the_question_names_the_recipients_and_the_groups_that_get_no_text(
    sender: Client, grace: Church, anna: Member
) -> None:
    choir, youth = (Group.objects.create(church=grace, name=name) for name in ("Choir", "Youth"))
    who = [mark(anna), f"-{mark(youth)}", mark(choir), f"-{mark(choir)}"]
    page = post(sender, "check", who=who, text="Hi").content.decode()
    assert "<bdi>Anna Lee</bdi>, <bdi>Choir</bdi></dd>" in page
    assert "<bdi>Youth</bdi>, <bdi>Choir</bdi></dd>" in page


def test_a_text_is_planned_in_the_zone_of_the_church(
    sender: Client, grace: Church, anna: Member
) -> None:
    Church.objects.filter(pk=grace.pk).update(timezone="America/Chicago")
    day = (timezone.now() + timedelta(days=30)).date()
    values = {"who": mark(anna), "text": "Hi", "date": day.isoformat(), "time": "08:00"}
    checked = post(sender, "check", **values).content.decode()
    assert f"{day:%A}, " in checked
    assert "8 a.m. (Chicago time)" in checked
    assert post(sender, **values).status_code == 302
    scheduled = Message.objects.get().scheduled_at
    assert scheduled is not None
    assert scheduled.astimezone(timezone.zoneinfo.ZoneInfo("America/Chicago")).hour == 8  # type: ignore[attr-defined]


def next_clock_change(zone: ZoneInfo) -> date:
    """Return the next day without a half past two."""
    days = (timezone.now().date() + timedelta(days=number) for number in range(2, 400))
    half_past_two = (datetime.combine(day, time(2, 30), zone) for day in days)
    return next(at.date() for at in half_past_two if at.astimezone(UTC).astimezone(zone) != at)


def test_a_time_that_the_clocks_skip_is_refused(sender: Client, grace: Church) -> None:
    Church.objects.filter(pk=grace.pk).update(timezone="America/Chicago")
    spring = next_clock_change(ZoneInfo("America/Chicago")).isoformat()
    refused = post(sender, who="n:+13125550199", text="Hi", date=spring, time="02:30")
    assert refused.status_code == 422
    sentence = "There is no 2:30 a.m. on that day, because the clocks go forward."
    assert sentence in refused.content.decode()


def test_an_upload_stays_when_the_form_is_refused_and_goes_out(
    sender: Client, anna: Member
) -> None:
    refused = post(sender, text="Look", file=SimpleUploadedFile("choir.png", PNG))
    [url] = re.findall(r'name="attached" value="([^"]+)"', refused.content.decode())
    assert refused.status_code == 422
    assert post(sender, who=mark(anna), text="Look", attached=url).status_code == 302
    assert Message.objects.get().media_urls == [url]
    bad = post(sender, text="Look", file=SimpleUploadedFile("page.html", b"<html>"))
    assert "Phones cannot show this file." in bad.content.decode()


def test_a_repeated_form_sends_once(sender: Client, anna: Member) -> None:
    values = {"who": mark(anna), "text": "Hi"}
    first, second = post(sender, **values), post(sender, **values)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first["Location"] == second["Location"]
    assert Message.objects.count() == 1
    assert "It was not sent twice." in sender.get(SEND).content.decode()


def test_the_same_text_from_another_tab_is_sent_only_after_a_question(
    sender: Client, anna: Member
) -> None:
    values = {"who": mark(anna), "text": "Hi"}
    post(sender, **values)
    asked = post(sender, **{**values, "form": "two"})
    page = asked.content.decode()
    assert (asked.status_code, Message.objects.count()) == (200, 1)
    assert "It was not sent a second time." in page
    [again] = re.findall(r'name="again" value="([^"]+)"', page)
    for _ in range(2):
        repeated = post(sender, "again", **{**values, "form": "two"}, again=again, people="1")
        assert repeated.status_code == 302
    assert Message.objects.count() == 2


def test_a_stopped_text_may_be_sent_again_at_once(sender: Client, anna: Member) -> None:
    values = {"who": mark(anna), "text": "Hi"}
    post(sender, **values)
    assert cancel_message(Message.objects.get(), now=timezone.now())
    assert post(sender, **values).status_code == 302
    assert sorted(Message.objects.values_list("status", flat=True)) == ["cancelled", "scheduled"]


@pytest.mark.parametrize(("left", "statuses"), [(False, {302}), (True, {200})])
def test_a_broadcast_that_was_stopped_at_its_last_moment_is_asked_about_if_a_text_had_left(
    sender: Client, anna: Member, left: bool, statuses: set[int]
) -> None:
    """Call the texts back from the queue: a worker had begun the broadcast."""
    cast.member(anna.church, "Ben", "+13125550112")
    assert post(sender, who="all", text="Hi").status_code == 302
    accept_due(timezone.now() + UNDO_FOR)
    if left:
        Message.objects.filter(to_number=anna.phone).update(status="delivered")
    assert cancel_broadcast(Broadcast.objects.get(), now=timezone.now())
    assert post(sender, who="all", text="Hi", form="two").status_code in statuses


def test_the_limits_of_the_api_count_here_too(sender: Client, anna: Member, settings: Any) -> None:
    settings.THROTTLING = {
        **settings.THROTTLING,
        "ENABLED": True,
        "POLICIES": {
            **settings.THROTTLING["POLICIES"],
            "messages": {**settings.THROTTLING["POLICIES"]["messages"], "rate": "1/h"},
        },
    }
    assert post(sender, who=mark(anna), text="Hi").status_code == 302
    busy = post(sender, who=mark(anna), text="Hi again")
    assert (busy.status_code, Message.objects.count()) == (429, 1)


def test_a_template_is_inserted_and_a_link_fills_the_form_in(
    sender: Client, grace: Church, anna: Member
) -> None:
    template = TextTemplate.objects.create(church=grace, name="Sunday", text="Come {first_name}!")
    inserted = post(sender, "insert", text="Hello", template=encode(template.pk))
    assert "Hello\nCome {first_name}!</textarea>" in inserted.content.decode()
    choir = Group.objects.create(church=grace, name="Choir")
    linked = sender.get(f"{SEND}?group={encode(choir.pk)}&template={encode(template.pk)}")
    page = linked.content.decode()
    assert f'name="who" value="{mark(choir)}"' in page
    assert "Come {first_name}!</textarea>" in page
    post(sender, who=["all"], text="Hi")
    again = sender.get(f"{SEND}?broadcast={encode(Broadcast.objects.get().pk)}").content.decode()
    assert 'name="who" value="all"' in again


def test_the_outlook_names_the_dearest_text_and_the_sign_that_costs(
    sender: Client, grace: Church, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "PART_PRICE": "0.014", "SENDER_RATE": 2}
    for number, name in enumerate(["Ann", "María", "O’Brien"]):
        cast.member(grace, name, f"+131255501{number + 30}")
    opt_out(grace.pk, "+13125550130", OptOut.Source.KEYWORD, now=timezone.now())
    data = {"who": "all", "text": "{first_name} " + "x" * 141}
    page = sender.post(
        f"{SEND}parts/preview/", data, headers={"HX-Request": "true"}
    ).content.decode()
    for words in (
        "2 people get this text.",
        "0.0840",
        "O’Brien, 3 parts",
        'class="sign">’<',
        "opted out",
    ):
        assert words in page, page
    empty = sender.post(f"{SEND}parts/preview/", {"who": "all"}).content.decode()
    assert "2 people get this text." in empty
    assert "bubble" not in empty
    refused = sender.post(
        f"{SEND}parts/preview/", {"who": "all", "text": "Hi {x}"}
    ).content.decode()
    assert "Unknown placeholder" in refused


def test_a_page_is_cheap(sender: Client, anna: Member, costs: Costs) -> None:
    for path in (SEND, f"{SEND}?member={encode(anna.pk)}", f"{SEND}templates/"):
        costs.of(sender, path)
    costs.of(sender, f"{SEND}parts/recipients/?find=an")


def test_templates_are_kept_changed_and_deleted(sender: Client, grace: Church) -> None:
    path = f"{SEND}templates/"
    assert sender.post(path, {"name": "Sunday", "text": "Come"}).status_code == 302
    twice = sender.post(path, {"name": "sunday", "text": "Come {x}"})
    assert twice.status_code == 422
    assert "Come {x}</textarea>" in twice.content.decode()
    template = TextTemplate.objects.get()
    item = f"{path}{encode(template.pk)}/"
    values = {"name": "Sunday", "text": "Come!", "version": template.version}
    assert sender.post(item, values).status_code == 302
    stale = sender.post(item, {**values, "text": "Stay"})
    assert stale.status_code == 422
    assert "It now reads: Come!" in stale.content.decode()
    assert sender.post(item + "delete/").status_code == 302
    assert not TextTemplate.objects.exists()
    acts_done = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert acts_done == ["template.added", "template.changed", "template.deleted"]


def test_a_draft_gets_its_recipients_back(sender: Client, anna: Member) -> None:
    found = sender.get(f"{SEND}parts/recipients/?mark={mark(anna)}&mark=all&mark=m:gone")
    page = found.content.decode()
    assert page.count("<li") == 2
    assert "Anna Lee" in page


def test_a_viewer_writes_no_text(client: Client, grace_viewer: User, anna: Member) -> None:
    client.force_login(grace_viewer)
    assert client.get(SEND).status_code == 403
    assert client.post(SEND, {"who": "all", "text": "Hi"}).status_code == 403
    assert client.get(f"{SEND}templates/").status_code == 200
    assert client.post(f"{SEND}templates/", {"name": "A", "text": "B"}).status_code == 403


def test_another_office_is_neither_shown_nor_texted(sender: Client, hope: Church) -> None:
    ben = cast.member(hope, "Ben", "+13125550211")
    choir = Group.objects.create(church=hope, name="Hope Choir")
    template = TextTemplate.objects.create(church=hope, name="Secret", text="Secret words")
    marks = f"mark={mark(ben)}&mark={mark(choir)}&mark=-{mark(choir)}"
    assert "<li" not in sender.get(f"{SEND}parts/recipients/?{marks}").content.decode()
    refused = post(sender, who=[mark(ben), mark(choir)], text="Hi").content.decode()
    assert "no longer exist" in refused
    assert "Hope Choir" not in refused
    assert sender.get(f"{SEND}templates/{encode(template.pk)}/").status_code == 404
    inserted = post(sender, "insert", template=encode(template.pk)).content.decode()
    linked = sender.get(f"{SEND}?template={encode(template.pk)}").content.decode()
    assert "Secret words" not in inserted + linked
    assert not Message.objects.exists()


def test_a_repeating_text_starts_a_series(sender: Client, grace: Church, anna: Member) -> None:
    day = (timezone.now() + timedelta(days=30)).date()
    values = {"text": "Hi", "date": day.isoformat(), "time": "08:00", "repeat": "2 weeks"}
    number = post(sender, who="n:+13125550199", **values)
    assert "goes to members or groups" in number.content.decode()
    attached = post(sender, who="all", attached="https://example.org/x.png", **values)
    assert "A text that repeats has no attachment." in attached.content.decode()
    without_day = post(sender, who="all", text="Hi", repeat="week")
    assert "Choose the first day" in without_day.content.decode()
    asked = post(sender, "check", who=mark(anna), **values).content.decode()
    assert "Every second week" in asked
    for _ in range(2):
        assert post(sender, who=mark(anna), **values).status_code == 302
    series = Series.objects.get()
    assert (series.every, series.interval, series.starts_on) == ("week", 2, day)


def test_the_outlook_says_who_waits_for_the_end_of_the_quiet_hours(
    sender: Client, grace: Church, anna: Member
) -> None:
    Church.objects.filter(pk=grace.pk).update(quiet_from="21:00", quiet_until="08:00")
    day = (timezone.now() + timedelta(days=30)).date().isoformat()
    data = {"who": "all", "text": "Hi", "date": day, "time": "03:00"}
    page = sender.post(f"{SEND}parts/preview/", data).content.decode()
    assert "1 text waits until " in page
