"""Use the client of openapi-python-client: ``use_openapi_python_client.py URL USER PASSWORD PHONE``."""

from __future__ import annotations

import sys

from koinonia_client import AuthenticatedClient, Client
from koinonia_client.api.auth import log_in, log_out
from koinonia_client.api.dead_letters import export_dead_letters
from koinonia_client.api.me import get_me
from koinonia_client.api.members import (
    create_member,
    delete_member,
    get_member,
    list_members,
    update_member,
)
from koinonia_client.api.messages import get_message, send_message
from koinonia_client.models import (
    LoginRequest,
    Member,
    MemberRequest,
    NewMessageRequest,
    PatchedMemberRequest,
    Problem,
)
from koinonia_client.types import UNSET


def main(url: str, username: str, password: str, phone: str) -> None:
    given = LoginRequest(username=username, password=password)
    login = log_in.sync(client=Client(url), body=given)
    client = AuthenticatedClient(url, login.token, raise_on_unexpected_status=True)

    page = list_members.sync("grace", client=client, page_size=3)
    assert len(page.results) == 3, page
    sparse = list_members.sync("grace", client=client, page_size=3, fields="id,first_name")
    assert [one.id for one in sparse.results] == [one.id for one in page.results]
    assert sparse.results[0].phone is UNSET

    text = NewMessageRequest(to=phone, text="Hello from openapi-python-client")
    sent = send_message.sync("grace", client=client, body=text)
    assert sent.text == text.text, sent
    one = get_message.sync("grace", sent.id, client=client, fields="id,member.name")
    assert (one.id, one.status) == (sent.id, UNSET)

    new = MemberRequest(first_name="Clara", phone=phone)
    made = create_member.sync("grace", client=client, body=new)
    assert isinstance(made, Member), made
    change = PatchedMemberRequest(first_name="Klara")
    changed = update_member.sync("grace", made.id, client=client, body=change, if_match=made.etag)
    assert (changed.first_name, changed.etag != made.etag) == ("Klara", True)
    stale = update_member.sync("grace", made.id, client=client, body=change, if_match=made.etag)
    assert isinstance(stale, Problem), stale
    assert (stale.status, bool(stale.detail)) == (412, True)
    gone = delete_member.sync_detailed("grace", made.id, client=client, if_match=changed.etag)
    assert gone.status_code == 204, gone
    missing = get_member.sync("grace", made.id, client=client)
    assert (type(missing), missing.status) == (Problem, 404)

    table = export_dead_letters.sync("grace", client=client)
    assert isinstance(table, str), table
    assert "," in table.splitlines()[0], table

    assert log_out.sync_detailed(client=client).status_code == 204
    refused = get_me.sync(client=client)
    assert (type(refused), refused.status) == (Problem, 401)


if __name__ == "__main__":
    main(*sys.argv[1:])
