"""Rows for measurements at scale, made by ``generate_series`` on PostgreSQL.

200 churches share the messages, and the first one has a fifth of them. The messages spread over 400 days;
attempts, conversations, webhook events and log events belong to them, as far as retention keeps them. The
number of rows in motion (due, on their way, not applied) is the same at each size, as in a real system.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import LiteralString, cast

import psycopg

CHURCHES = 200
DAYS = 400
BLOCK = 500
"""Consecutive messages of one church: a broadcast, or single texts."""
KEPT_DAYS = 30
"""The retention of webhook events and log events."""
EVENTS_KEPT = 100_000
"""The most log events of a church: prune deleted the others the night before."""
IN_MOTION = 3000
"""The last messages: due, accepted, sent or scheduled."""
_CHUNK = 250_000
_FILLED = (
    "delivery_message", "delivery_attempt", "delivery_webhookevent", "realtime_event",
    "koinonia_member", "koinonia_conversation", "koinonia_webhookdelivery",
)  # fmt: skip
_WITH_IDS = (
    *_FILLED,
    "koinonia_webhookendpoint",
    "koinonia_church",
    "koinonia_broadcast",
    "realtime_stream",
    "auth_user",
)

_CHURCH = "CASE WHEN b % 5 = 0 THEN 1 ELSE 2 + b * 7919 % ({churches} - 1) END"
_MEMBERS = """
CREATE TEMPORARY TABLE church_members AS
SELECT c AS church,
       CASE WHEN c = 1 THEN {large} ELSE {small} END AS members,
       CASE WHEN c = 1 THEN 0 ELSE {large} + (c - 2) * {small} END AS first
FROM generate_series(1, {churches}) c;
"""
_PEOPLE = """
INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
SELECT u, '!', false, 'scale-' || u, '', '', '', false, true, now() FROM generate_series(1, 5) u;

INSERT INTO koinonia_church (id, slug, name, phone_number, country, timezone, created_at, version)
SELECT c, 'church-' || c, 'Church ' || c, '+1312' || 2000000 + c, 'US', 'America/Chicago', now(), 1
FROM generate_series(1, {churches}) c;

INSERT INTO koinonia_sendingnumber (number, church_id, given_at)
SELECT phone_number, id, now() FROM koinonia_church;

INSERT INTO koinonia_staff (church_id, user_id, role, version, created_at)
SELECT c, u, 'owner', 1, now() FROM generate_series(1, {churches}) c, generate_series(1, 5) u;

INSERT INTO koinonia_member (id, church_id, first_name, last_name, phone, search_key, created_at, updated_at, version)
SELECT first + k, church, 'Name' || k, 'Brown', '+1' || 2012000000 + first + k,
       'name' || k || ' brown', now(), now(), 1
FROM church_members, generate_series(1, members) k;

INSERT INTO koinonia_conversation (id, church_id, phone, unread_count, updated_at)
SELECT id, church_id, phone, 0, now() FROM koinonia_member;

INSERT INTO realtime_stream (id, key, epoch, last_seq, first_seq)
SELECT id, 'church:' || slug, md5(slug)::varchar(8), 0, 1 FROM koinonia_church;
"""
_BROADCASTS = """
INSERT INTO koinonia_broadcast
    (id, church_id, author_id, text, audience, total, created_at, finished_at, progress_stale)
SELECT b + 1, {church}, 1 + b % 5, 'Choir practice is at seven, {{first_name}}.', '{{"all": true}}',
       {block}, {first_day} + b * {block} * {step}, {first_day} + (b + 1) * {block} * {step}, false
FROM generate_series(0, ({messages} - 1) / {block}) b WHERE b / 5 % 10 < 7;
"""
_MESSAGES = """
INSERT INTO delivery_message
    (id, tenant_id, recipient_id, author_id, direction, status, to_number, from_number, text,
     media_urls, encoding, parts, priority, batch, thread, created_at, updated_at, scheduled_at,
     expires_at, sent_at, delivered_at, next_attempt_at, claimed_from, attempts, calls, ambiguous,
     claims, generation, callback_origin, provider_id, error_code, error_title, error_class,
     dead_since, discarded_reason)
SELECT i, church, member, CASE WHEN inbound THEN NULL ELSE 1 + b % 5 END,
       CASE WHEN inbound THEN 'inbound' ELSE 'outbound' END, status,
       CASE WHEN inbound THEN own ELSE theirs END, CASE WHEN inbound THEN theirs ELSE own END,
       'Choir practice is at seven, and not at eight as it was announced. ' || i,
       '[]', 'GSM-7', 1, CASE WHEN batch IS NULL THEN 0 ELSE 10 END, batch, member, at,
       at + interval '3 s', CASE WHEN status = 'scheduled' THEN now() + interval '7 days' END,
       at + interval '1 day', CASE WHEN handed_over THEN at + interval '1 s' END,
       CASE WHEN status = 'delivered' THEN at + interval '3 s' END,
       CASE WHEN status = 'scheduled' THEN now() + interval '7 days' WHEN status = 'queued' THEN at END,
       '', CASE WHEN handed_over THEN 1 ELSE 0 END, CASE WHEN handed_over THEN 1 ELSE 0 END, false,
       0, 1, 'https://texts.example.org', CASE WHEN handed_over OR inbound THEN md5(i::text)::uuid::text END,
       CASE WHEN status IN ('failed', 'dead') THEN '40300' ELSE '' END,
       CASE WHEN status IN ('failed', 'dead') THEN 'Blocked' ELSE '' END,
       CASE WHEN status IN ('failed', 'dead') THEN 'permanent' ELSE '' END,
       CASE WHEN status IN ('dead', 'unknown') THEN at + interval '5 s' END, ''
FROM (
    SELECT drawn.*, first + 1 + ((b / 5) * 37 + (i - 1) % {block}) % members AS member,
           '+1312' || 2000000 + drawn.church AS own,
           '+1' || 2012000001 + first + ((b / 5) * 37 + (i - 1) % {block}) % members AS theirs,
           {first_day} + i * {step} AS at,
           status IN ('accepted', 'sent', 'delivered', 'unconfirmed', 'failed', 'unknown') AS handed_over
    FROM (
        SELECT i, b, {church} AS church, CASE WHEN b / 5 % 10 < 7 THEN b + 1 END AS batch,
               b / 5 % 10 >= 7 AND i % 10 = 0 AS inbound,
               CASE WHEN b / 5 % 10 >= 7 AND i % 10 = 0 THEN 'received'
                    WHEN i > {messages} - {in_motion} THEN
                        (ARRAY['queued', 'accepted', 'sent', 'sent', 'scheduled'])[1 + i % 5]
                    WHEN draw < 3 THEN 'dead' WHEN draw < 4 THEN 'unknown' WHEN draw < 20 THEN 'failed'
                    WHEN draw < 40 THEN 'unconfirmed' WHEN draw < 45 THEN 'expired'
                    WHEN draw < 50 THEN 'cancelled' WHEN draw < 55 THEN 'suppressed'
                    ELSE 'delivered' END AS status
        FROM (SELECT i, (i - 1) / {block} AS b, i * 7919 % 1000 AS draw
              FROM generate_series({start}::bigint, {end}::bigint) i) numbered
    ) drawn JOIN church_members USING (church)
) complete ORDER BY i;
"""
_ATTEMPTS = """
INSERT INTO delivery_attempt
    (message_id, number, generation, started_at, duration_ms, outcome, http_status, code, detail)
SELECT id, 1, 1, created_at + interval '1 s', 120,
       CASE WHEN status = 'dead' THEN 'permanent' WHEN status = 'unknown' THEN 'ambiguous' ELSE 'accepted' END,
       CASE WHEN status = 'dead' THEN 400 WHEN status = 'unknown' THEN NULL ELSE 200 END,
       CASE WHEN status = 'dead' THEN '40300' ELSE '' END, ''
FROM delivery_message
WHERE id BETWEEN {start} AND {end} AND (calls > 0 OR status = 'dead') ORDER BY id;
"""
_WEBHOOKS = """
INSERT INTO delivery_webhookevent
    (event_id, event_type, provider_id, ref, occurred_at, received_at, due_at, applied_at, result, message_id, payload)
SELECT md5(id || kind)::uuid::text, kind, provider_id, '', sent_at, sent_at, sent_at,
       CASE WHEN id <= {messages} - 250 THEN sent_at + interval '1 s' END,
       CASE WHEN id <= {messages} - 250 THEN 'applied' ELSE '' END, id,
       jsonb_build_object('data', jsonb_build_object('id', md5(id || kind)::uuid, 'event_type', kind,
           'payload', jsonb_build_object('id', provider_id, 'text', text, 'type', 'SMS', 'to', to_number,
               'from', from_number, 'encoding', encoding, 'parts', parts, 'organization_id', md5('o'),
               'messaging_profile_id', md5('p'), 'sent_at', sent_at, 'completed_at', delivered_at)))
FROM delivery_message, unnest(ARRAY['message.sent', 'message.finalized']) kind
WHERE id BETWEEN {start} AND {end} AND sent_at >= now() - interval '{kept_days} days' ORDER BY id;
"""
_EVENTS = """
INSERT INTO realtime_event (stream_id, seq, type, body, at)
SELECT tenant_id, row_number() OVER (PARTITION BY tenant_id ORDER BY message.id, nth), 'message.status',
       json_build_object('message', message.id, 'status', status, 'previous', 'queued', 'conversation',
           thread, 'broadcast', batch, 'error', NULL, 'updated_at', message.updated_at)::text,
       message.updated_at
FROM delivery_message message, generate_series(1, 3) nth
WHERE created_at >= now() - interval '{kept_days} days';

UPDATE realtime_stream SET last_seq = counted.last
FROM (SELECT stream_id, max(seq) AS last FROM realtime_event GROUP BY stream_id) counted
WHERE counted.stream_id = realtime_stream.id;

DELETE FROM realtime_event USING realtime_stream stream
WHERE stream.id = stream_id AND seq <= last_seq - {events_kept};

UPDATE realtime_stream SET first_seq = greatest(1, last_seq - {events_kept} + 1);
"""
_OUTGOING = """
INSERT INTO koinonia_webhookendpoint
    (id, church_id, name, url, types, secret, old_secret, off, owes_notice, created_at, version)
SELECT c, c, 'Website', 'https://hooks.example.org/' || c, '["message.status"]', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
       '', CASE WHEN c % 20 = 7 THEN 'failing' ELSE '' END, false, now() - interval '30 days', 1
FROM generate_series(1, {churches}) c;

INSERT INTO koinonia_webhookcursor (endpoint_id, epoch, seq, failures, failing_since, next_at, lease_token, served_at)
SELECT endpoint.id, epoch, CASE WHEN endpoint.id % 10 = 3 THEN greatest(first_seq, last_seq - 100) ELSE last_seq END,
       CASE WHEN endpoint.id % 20 = 3 THEN 9 ELSE 0 END, NULL, NULL, '', now()
FROM koinonia_webhookendpoint endpoint JOIN realtime_stream stream ON stream.key = 'church:church-' || endpoint.id;

INSERT INTO koinonia_webhookdelivery
    (endpoint_id, event_id, type, seq, state, attempts, status, error, excerpt, seconds, created_at, trying_since, tried_at, next_at)
SELECT endpoint.id, 'evt_' || seq, 'message.status', seq, CASE WHEN waits THEN 'waiting' ELSE 'delivered' END, 1,
       CASE WHEN waits THEN 500 ELSE 204 END, '', '', 0.05, at, at, at, CASE WHEN waits THEN now() + interval '1 hour' END
FROM koinonia_webhookendpoint endpoint,
     LATERAL (SELECT seq, at, endpoint.id % 20 = 3 AND seq > last_seq - 100 AS waits
              FROM realtime_event event JOIN realtime_stream stream ON stream.id = event.stream_id
              WHERE stream.key = 'church:church-' || endpoint.id AND at > now() - interval '7 days') sent;
"""
_LAST_MESSAGES = """
UPDATE koinonia_conversation SET last_message_id = last.id, updated_at = last.at
FROM (SELECT thread, max(id) AS id, max(updated_at) AS at FROM delivery_message GROUP BY thread) last
WHERE last.thread = koinonia_conversation.id;
"""
_NO_SCANS = "SET enable_hashjoin = off;\nSET enable_mergejoin = off;\n"
_ANY_PLAN = "RESET enable_hashjoin;\nRESET enable_mergejoin;\n"
FAST_LOAD = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "wal_level": "minimal",
    "max_wal_senders": "0", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "autovacuum": "off",
    "shared_buffers": "1GB", "work_mem": "64MB", "maintenance_work_mem": "1GB",
}  # fmt: skip
"""Settings of a server that may lose its data."""


def fill(
    url: str,
    messages: int,
    say: Callable[[str], None],
    *,
    churches: int = CHURCHES,
    members: int | None = None,
) -> None:
    """Fill the migrated database at ``url``: triggers run, constraints and indexes are made at the end.

    ``members``: those of the first church, in place of one for each 250 messages.
    """
    values = {
        "messages": messages, "churches": churches, "block": BLOCK, "in_motion": IN_MOTION,
        "kept_days": KEPT_DAYS, "events_kept": EVENTS_KEPT, "large": members or max(BLOCK, messages // 250),
        "small": max(BLOCK, messages // 12_500),
        "first_day": f"(date_trunc('minute', now()) - interval '{DAYS} days')",
        "step": f"interval '{DAYS * 86400 / messages:.6f} s'",
    }  # fmt: skip
    church = _CHURCH.format(**values)

    def run(statements: str, **more: int) -> None:
        for statement in statements.format(**values, **more, church=church).split(";\n"):
            if statement.strip():
                _execute(connection, statement)

    def run_in_chunks(statement: str) -> None:
        for start in range(1, messages + 1, _CHUNK):
            run(statement, start=start, end=min(messages, start + _CHUNK - 1))

    def insert_attempts() -> None:
        # A trigger looks up the church of each attempt: by key, and not by reading all messages each time.
        run(_NO_SCANS)
        run_in_chunks(_ATTEMPTS)
        run(_ANY_PLAN)

    def insert_webhooks() -> None:
        if _has_table(connection, "koinonia_webhookdelivery"):
            run(_OUTGOING)

    with psycopg.connect(url, autocommit=True) as connection:
        people = (
            _PEOPLE if _has_table(connection, "koinonia_sendingnumber") else _of_49aea07(_PEOPLE)
        )
        rebuilt = _drop_indexes(connection)
        for name, step in (
            ("churches and people", lambda: run(_MEMBERS + people)),
            ("broadcasts", lambda: run(_BROADCASTS)),
            ("messages", lambda: run_in_chunks(_MESSAGES)),
            ("attempts", insert_attempts),
            ("webhook events", lambda: run_in_chunks(_WEBHOOKS)),
            ("log events", lambda: run(_EVENTS)),
            ("outgoing webhooks", insert_webhooks),
            ("last messages", lambda: run(_LAST_MESSAGES)),
            ("indexes and constraints", lambda: [_execute(connection, one) for one in rebuilt]),
            ("sequences", lambda: _set_sequences(connection)),
            ("vacuum and statistics", lambda: connection.execute("VACUUM (ANALYZE)")),
        ):
            started = time.monotonic()
            step()
            say(f"  {name}: {time.monotonic() - started:.1f} s")


def _has_table(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute("SELECT to_regclass(%s)", [name]).fetchone()
    return bool(found and found[0])


def _of_49aea07(people: str) -> str:
    """Return the statements for the schema of 49aea07, where the check of migrations begins."""
    kept = [one for one in people.split(";\n") if "koinonia_sendingnumber" not in one]
    return ";\n".join(kept).replace(" search_key,", "").replace("'name' || k || ' brown', ", "")


def _execute(connection: psycopg.Connection, statement: str) -> None:
    # The statements are constants of this file, and definitions from the catalogue.
    connection.execute(cast(LiteralString, statement))


def _drop_indexes(connection: psycopg.Connection) -> list[str]:
    """Drop indexes, unique constraints and foreign keys; return the statements that make them again."""
    constraints = connection.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('u', 'f') ORDER BY contype DESC",
        [list(_FILLED)],
    ).fetchall()
    for table, name, _ in constraints:
        _execute(connection, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid::regclass::text = ANY(%s) AND NOT indisprimary",
        [list(_FILLED)],
    ).fetchall()
    for name, _ in indexes:
        _execute(connection, f"DROP INDEX {name}")
    return [
        *(definition for _, definition in indexes),
        *(f"ALTER TABLE {table} ADD CONSTRAINT {name} {what}" for table, name, what in constraints),
    ]


def _set_sequences(connection: psycopg.Connection) -> None:
    for table in filter(partial(_has_table, connection), _WITH_IDS):
        _execute(
            connection,
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))",  # noqa: S608  # a name of this file
        )
