"""Use the client of openapi-generator (python): ``use_openapi_generator.py URL USER PASSWORD PHONE``."""

from __future__ import annotations

import sys
from typing import Any

import koinonia_api as client


def main(url: str, username: str, password: str, phone: str) -> None:
    api = client.ApiClient(client.Configuration(host=url))
    given = client.LoginRequest(username=username, password=password)
    login = client.AuthApi(api).log_in(given)
    config = client.Configuration(host=url, access_token=login.token)
    api = client.ApiClient(config)
    members = client.MembersApi(api)

    page = members.list_members("grace", page_size=3)
    assert len(page.results) == 3, page
    sparse = members.list_members("grace", page_size=3, fields="id,first_name")
    assert [one.id for one in sparse.results] == [one.id for one in page.results]
    assert sparse.results[0].phone is None

    text = client.NewMessageRequest(to=phone, text="Hello from openapi-generator")
    sent = client.MessagesApi(api).send_message("grace", new_message_request=text)
    assert sent.text == text.text, sent
    one = client.MessagesApi(api).get_message("grace", sent.id, fields="id,error,member.name")
    assert (one.id, one.status) == (sent.id, None)

    new = client.MemberRequest(first_name="Clara", phone=phone)
    made = members.create_member("grace", member_request=new)
    change = client.PatchedMemberRequest(first_name="Klara")
    changed = members.update_member(
        "grace", made.id, if_match=made.etag, patched_member_request=change
    )
    assert (changed.first_name, changed.etag != made.etag) == ("Klara", True)
    stale = refused(
        members.update_member,
        "grace",
        made.id,
        if_match=made.etag,
        patched_member_request=change,
    )
    assert (stale.status, type(stale.data), stale.data.status) == (412, client.Problem, 412)
    members.delete_member("grace", made.id, if_match=changed.etag)
    assert refused(members.get_member, "grace", made.id).status == 404

    table = client.DeadLettersApi(api).export_dead_letters("grace")
    assert isinstance(table, str), table
    assert "," in table.splitlines()[0], table

    client.AuthApi(api).log_out()
    assert refused(client.MeApi(api).get_me).status == 401


def refused(call: Any, *arguments: Any, **more: Any) -> Any:
    """Return the error of a call that must fail."""
    try:
        call(*arguments, **more)
    except client.ApiException as error:
        return error
    raise AssertionError(f"{call.__name__} was not refused.")


if __name__ == "__main__":
    main(*sys.argv[1:])
