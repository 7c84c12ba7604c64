from __future__ import annotations

import time
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from throttling import logins
from throttling.addresses import prefix_of
from throttling.buckets import Bucket, BucketStore, parse
from throttling.charges import name_digest
from throttling.models import LoginAddress

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
PAGES = ["/api/login/", "/login/", "/admin/login/"]
HOME = "203.0.113.9"
LOGIN = {"username": "grace", "password": ""}


@pytest.fixture
def grace() -> User:
    return User.objects.create_superuser("grace", password=PASSWORD)


def _login(api: Client, page: str, name: str, password: str, address: str = HOME) -> Any:
    return api.post(page, {"username": name, "password": password}, REMOTE_ADDR=address)


def _succeeded(answer: Any) -> bool:
    return bool(answer.status_code == 302 or answer.json() == {})


@pytest.mark.parametrize("page", PAGES)
def test_guessing_one_name_from_one_address_stops_after_five(
    api: Client, grace: User, page: str
) -> None:
    answers = [_login(api, page, "grace", f"guess {n}") for n in range(7)]
    assert [answer.status_code == 429 for answer in answers] == [False] * 5 + [True] * 2
    assert 120 <= int(answers[-1]["Retry-After"]) <= 180
    assert '"login_user";q=5;w=900' in answers[-1]["RateLimit-Policy"]


def test_the_pages_share_their_buckets(api: Client, grace: User) -> None:
    for page in [*PAGES, *PAGES]:
        last = _login(api, page, "grace", "guess")
    assert last.status_code == 429


@pytest.mark.parametrize("page", PAGES)
def test_the_right_password_is_refused_after_too_many_guesses(
    api: Client, grace: User, page: str
) -> None:
    for _ in range(5):
        _login(api, page, "grace", "guess")
    assert _login(api, page, "grace", PASSWORD).status_code == 429


@pytest.mark.parametrize("page", PAGES)
def test_a_successful_login_costs_nothing(
    api: Client, grace: User, page: str, store: BucketStore
) -> None:
    for _ in range(12):
        assert _succeeded(_login(Client(), page, "grace", PASSWORD))
    left = store.peek([Bucket(f"login_ip:{HOME}", parse("10/m"))]).states[0].remaining
    assert left == 10


@pytest.mark.parametrize(
    ("page", "address"), [("/login/", "192.0.2.1"), ("/admin/login/", "192.0.2.2")]
)
def test_fifty_forms_with_a_blank_field_do_not_lock_the_next_login(
    api: Client, grace: User, page: str, address: str
) -> None:
    blank = [("grace", ""), ("", PASSWORD), ("  ", "x"), ("", "")]
    for name, password in islice(cycle(blank), 50):
        assert _login(api, page, name, password, address).status_code == 200
    assert _succeeded(_login(api, page, "grace", PASSWORD, address))


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_a_blank_field_gives_no_guess_back_and_opens_no_lock(
    api: Client, grace: User, page: str
) -> None:
    for n in range(4):
        _login(api, page, "grace", f"guess {n}")
        _login(api, page, "grace", "")
    _login(api, page, "grace", " ")
    assert _login(api, page, "grace", "").status_code == 429
    assert _login(api, page, "grace", PASSWORD).status_code == 429


def test_a_page_that_verifies_a_blank_password_keeps_the_charge(
    rf: RequestFactory, grace: User
) -> None:
    page = logins.guarded(lambda request: HttpResponse(str(authenticate(request, **LOGIN))))
    posts = [rf.post("/", LOGIN, REMOTE_ADDR=HOME) for _ in range(6)]
    assert [page(post).status_code for post in posts] == [200] * 5 + [429]


def test_one_address_may_try_ten_names_a_minute(api: Client, grace: User) -> None:
    began = time.monotonic()
    codes: list[int] = []
    while 429 not in codes and len(codes) < 100:
        codes.append(_login(api, "/api/login/", f"user-{len(codes)}", "guess").status_code)
    assert codes == [401] * (len(codes) - 1) + [429]
    # The bucket fills while a loaded machine answers.
    assert 10 <= len(codes) - 1 <= 10 + (time.monotonic() - began) / 6


def test_guessing_from_many_addresses_stops_after_twenty(api: Client, grace: User) -> None:
    began = time.monotonic()
    answers = [_login(api, "/api/login/", "grace", "guess", f"198.51.100.{n}") for n in range(24)]
    filled = (time.monotonic() - began) / 45
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 4
    waits = [int(answer["Retry-After"]) for answer in answers[20:]]
    # The bucket fills while a loaded machine answers 24 requests.
    for wait, longest in zip(waits, [45, 90, 180, 360], strict=True):
        assert longest * (1 - filled) - 1 <= wait <= longest


def test_guesses_elsewhere_do_not_lock_out_a_known_address(api: Client, grace: User) -> None:
    _login(Client(), "/login/", "grace", PASSWORD, HOME)
    for n in range(24):
        _login(api, "/api/login/", "grace", "guess", f"198.51.100.{n}")
    assert _login(api, "/api/login/", "grace", PASSWORD, "192.0.2.1").status_code == 429
    assert _login(api, "/api/login/", "grace", PASSWORD, HOME).status_code == 200


def test_all_addresses_of_an_ipv6_network_share_a_bucket(api: Client, grace: User) -> None:
    answers = [
        _login(api, "/api/login/", "grace", "guess", f"2001:db8:1:2::{n:x}") for n in range(1, 8)
    ]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2


@pytest.mark.parametrize("spelling", ["GRACE", " grace ", "\uff47race"])
def test_all_spellings_of_a_name_share_a_bucket(api: Client, grace: User, spelling: str) -> None:
    for _ in range(5):
        _login(api, "/api/login/", "grace", "guess")
    assert _login(api, "/api/login/", spelling, "guess").status_code == 429


def test_an_unknown_name_gets_the_same_answers(api: Client, grace: User) -> None:
    def answers(name: str, address: str) -> list[tuple[int, bytes, str]]:
        found = [_login(api, "/api/login/", name, "guess", address) for _ in range(6)]
        return [(one.status_code, one.content, one["RateLimit"]) for one in found]

    known = answers("grace", "192.0.2.1")
    unknown = answers("nobody", "192.0.2.2")
    assert [answer[0] for answer in known] == [answer[0] for answer in unknown]
    assert known[:5] == unknown[:5]


@pytest.mark.parametrize("page", PAGES)
def test_an_unknown_name_costs_the_same_hashing(
    api: Client, grace: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    """Compare the hashing, the only work slow enough to be measured from outside."""
    spent: list[int] = []

    def hashed(password: str, salt: str, iterations: int, **_: Any) -> bytes:
        spent.append(iterations)
        return password.encode()

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    monkeypatch.setattr("django.contrib.auth.hashers.pbkdf2", hashed)
    grace.set_password(PASSWORD)
    grace.save()
    costs = []
    for name in ("grace", "nobody"):
        spent.clear()
        _login(api, page, name, "guess")
        costs.append(list(spent))
    assert costs == [[PBKDF2PasswordHasher.iterations]] * 2


def test_user_names_are_not_kept_in_redis(api: Client, grace: User, store: BucketStore) -> None:
    _login(api, "/api/login/", "grace", "guess")
    assert not [name for name in store.names("*") if "grace" in name]


def test_a_login_page_says_when_to_try_again(api: Client, grace: User) -> None:
    for _ in range(6):
        answer = _login(api, "/login/", "grace", "guess")
    assert b"Try again in 3 minutes" in answer.content
    assert answer["Cache-Control"] == "no-store"


def test_the_flood_guard_refuses_a_flood_of_posts(
    api: Client, grace: User, settings: Settings
) -> None:
    settings.THROTTLING = {**settings.THROTTLING, "COARSE_LOGIN_RATE": "2/m"}
    settings.CACHES = {
        **settings.CACHES,
        "ratelimit": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    }
    codes = [_login(api, "/admin/login/", f"user-{n}", "guess").status_code for n in range(3)]
    assert codes == [200, 200, 429]


def test_a_get_of_a_login_page_costs_nothing(api: Client) -> None:
    assert [api.get("/login/").status_code for _ in range(15)] == [200] * 15


def test_an_address_is_known_for_thirty_days(grace: User) -> None:
    now = timezone.now()
    LoginAddress.objects.remember("a", HOME, now=now)
    later = now + timedelta(days=30)
    assert LoginAddress.objects.knows("a", HOME, now=later - timedelta(seconds=1))
    assert not LoginAddress.objects.knows("a", HOME, now=later)
    assert (logins.prune(later, dry_run=True), LoginAddress.objects.count()) == (1, 1)
    assert (logins.prune(later), LoginAddress.objects.count()) == (1, 0)


def test_the_known_address_is_the_one_that_is_counted(api: Client, grace: User) -> None:
    _login(api, "/api/login/", "grace", PASSWORD, "2001:db8:1:2::9")
    row = LoginAddress.objects.get()
    assert (row.name, row.address) == (name_digest("grace"), "2001:db8:1:2::/64")


def test_nothing_is_limited_when_switched_off(api: Client, grace: User, settings: Settings) -> None:
    settings.THROTTLING = {"ENABLED": False}
    codes = {_login(api, "/api/login/", "grace", "guess").status_code for _ in range(30)}
    assert codes == {401}
    assert prefix_of(api.get("/login/").wsgi_request) == "127.0.0.1"
