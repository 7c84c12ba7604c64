"""Entity tags as compressing proxies change them: each product, and two proxies in a row."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from httpopt.validators.etags import parse_tags
from httpopt.views.if_match import versions_of
from koinonia.models import Church, Group, Role
from tests.support import cast

GROUPS = "/api/v1/churches/grace/groups/"
MADE_BY = {
    "nginx": 'W/"{}"',
    "Apache mod_deflate": '"{}-gzip"',
    "Apache mod_brotli": '"{}-br"',
    "Apache mod_deflate, deflate": '"{}-deflate"',
    "Apache twice": '"{}-gzip-gzip"',
    "Caddy": '"{}-zstd"',
    "Jetty": '"{}--gzip"',
    "LiteSpeed": '"{};gz"',
    "LiteSpeed, br": '"{};br"',
    "Traffic Server": '"{}-df"',
    "nginx before Apache": 'W/"{}-gzip"',
    "Cloudflare before Caddy": 'W/"{}-zstd"',
    "HAProxy before Jetty": 'W/"{}--gzip"',
    "Apache before Apache": '"{}-gzip-br"',
}
LISTS = {
    "alone": "{}",
    "after a foreign tag": '"no-such-tag", {}',
    "before a weak foreign tag": '{}, W/"other"',
    "among stale tags of the item": '"0", {}, W/"0-gzip"',
}
CODINGS = ["identity", "gzip", "br", "zstd"]


@pytest.fixture
def choir(grace: Church) -> Group:
    return Group.objects.create(church=grace, name="Choir")


@pytest.fixture
def client(grace_owner: User, choir: Group) -> APIClient:
    client = APIClient()
    client.force_authenticate(grace_owner)
    return client


@pytest.fixture
def path(client: APIClient) -> str:
    return f"{GROUPS}{client.get(GROUPS).json()['results'][0]['id']}/"


def opaque_of(client: APIClient, path: str, coding: str) -> str:
    tag: str = client.get(path, headers={"Accept-Encoding": coding})["ETag"]
    assert not tag.startswith("W/")
    return tag.strip('"')


def rename(client: APIClient, path: str, name: str, **headers: str) -> Any:
    return client.patch(path, {"name": name}, format="json", headers=headers)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("product", MADE_BY)
def test_a_changed_tag_allows_one_write(
    client: APIClient, path: str, product: str, coding: str
) -> None:
    tag = MADE_BY[product].format(opaque_of(client, path, coding))
    assert rename(client, path, "Band", if_match=tag).status_code == 200
    assert rename(client, path, "Brass", if_match=tag).status_code == 412
    assert client.delete(path, headers={"if-match": tag}).status_code == 412
    assert Group.objects.get().name == "Band"


@pytest.mark.parametrize("several", LISTS)
@pytest.mark.parametrize("product", MADE_BY)
def test_one_matching_tag_of_a_list_is_enough(
    client: APIClient, path: str, product: str, several: str
) -> None:
    tag = LISTS[several].format(MADE_BY[product].format(opaque_of(client, path, "gzip")))
    assert client.delete(path, headers={"if-match": tag}).status_code == 204


@pytest.mark.parametrize("product", MADE_BY)
def test_the_etag_in_the_body_allows_one_write(client: APIClient, path: str, product: str) -> None:
    version = client.get(path).json()["etag"].strip('"')
    tag = MADE_BY[product].format(version)
    assert rename(client, path, "Band", if_match=tag).status_code == 200
    assert rename(client, path, "Brass", if_match=tag).status_code == 412


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("product", MADE_BY)
@pytest.mark.parametrize("kind", ["item", "list", "report", "events"])
def test_a_changed_tag_gets_a_304(
    client: APIClient, path: str, product: str, coding: str, kind: str
) -> None:
    church = "/api/v1/churches/grace/"
    at = {"item": path, "list": GROUPS, "report": f"{church}delivery/",
          "events": f"{church}events/?after=0"}[kind]  # fmt: skip
    accepted = {"Accept-Encoding": coding}
    first = client.get(at, headers=accepted)
    tag = MADE_BY[product].format(first["ETag"].removeprefix("W/").strip('"'))
    again = client.get(at, headers={**accepted, "If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again["ETag"]) == (304, first["ETag"])


@pytest.mark.parametrize("product", MADE_BY)
def test_a_get_honours_if_match_with_a_changed_tag(
    client: APIClient, path: str, product: str
) -> None:
    tag = MADE_BY[product].format(opaque_of(client, path, "identity"))
    assert client.get(path, headers={"If-Match": tag}).status_code == 200
    rename(client, path, "Band")
    assert client.get(path, headers={"If-Match": tag}).status_code == 412


@pytest.mark.parametrize(
    "foreign",
    ['"{}-other"', '"{}gzip"', '"x{}"', '"{}-"', '"{}-gzip-gzip-gzip-gzip"', '"gzip-{}"', '"{}.gzip"',
     'W/"{}-identity"', '"{}-GZIPPED"'],
)  # fmt: skip
def test_a_tag_that_no_proxy_would_make_matches_nothing(
    client: APIClient, path: str, foreign: str
) -> None:
    tag = foreign.format(opaque_of(client, path, "gzip"))
    assert rename(client, path, "Band", if_match=tag).status_code == 412
    read = client.get(path, headers={"If-None-Match": tag, "Accept-Encoding": "gzip"})
    assert read.status_code == 200


def test_an_asterisk_matches_any_version(client: APIClient, path: str) -> None:
    assert rename(client, path, "Band", if_match="*").status_code == 200


@given(
    st.text(
        st.characters(codec="ascii", exclude_characters='"', min_codepoint=33, max_codepoint=126),
        max_size=40,
    )
)
def test_only_our_own_form_has_a_version(opaque: str) -> None:
    found = versions_of(parse_tags(f'W/"{opaque}"'))
    assert len(found) <= 1
    if found:
        assert opaque.startswith(str(found[0])) or opaque.startswith("0")


def test_a_changed_tag_allows_a_write_of_a_membership(client: APIClient, grace: Church) -> None:
    cast.staff(grace, Role.VIEWER)
    staff = client.get("/api/v1/churches/grace/staff/").json()["results"]
    item = next(one for one in staff if one["role"] == "viewer")
    tag = f'W/"{item["etag"].strip(chr(34))}-gzip"'
    path = f"/api/v1/churches/grace/staff/{item['id']}/"
    change = {"role": "sender"}
    assert client.patch(path, change, format="json", headers={"if-match": tag}).status_code == 200
