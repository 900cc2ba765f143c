"""A superuser rewrites the audit log at random, and every time it is found."""

import random
import string

import psycopg
import pytest
from django.conf import settings
from django.db import transaction

from accounts.models import User
from core import audit
from tests.database import superuser_url

ROWS = 16
TIMES = 1000
_TEXTS = ("actor_label", "via", "action", "subject_type", "subject_id", "subject_label", "reason")
_OTHERS = {
    "happened_at": "happened_at + interval '1 microsecond'",
    "recorded_at": "recorded_at - interval '1 second'",
    "is_simulated": "NOT is_simulated",
    "actor_id": "coalesce(actor_id, 0) + 1",
    "detail": "detail || '{\"n\": -1}'",
    "request_id": "request_id || 'x'",
    "hash": "md5(hash) || md5(previous_hash)",
    "previous_hash": "md5(previous_hash) || md5(hash)",
}


@pytest.fixture
def log(committed_db):
    person = User.objects.create_user("ana", full_name="Ana Ruiz")
    with transaction.atomic():
        for n in range(ROWS):
            audit.record("test.done", person, actor=person, reason=f"Reason {n}", n=n)
    name = settings.DATABASES["default"]["NAME"]
    with psycopg.connect(superuser_url(name), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM core_auditevent")
        yield connection


def restore(log) -> None:
    log.execute("TRUNCATE core_auditevent")
    log.execute("INSERT INTO core_auditevent SELECT * FROM kept")


def edit(log, dice: random.Random) -> str:
    row = dice.randint(1, ROWS)
    column = dice.choice([*_TEXTS, *_OTHERS])
    if column in _TEXTS:
        letter = dice.choice(string.ascii_letters)
        value = f"{column} || '{letter}'"
    else:
        value = _OTHERS[column]
    log.execute(f"UPDATE core_auditevent SET {column} = {value} WHERE sequence = {row}")  # noqa: S608 - names of ours
    return f"edited {column} of {row}"


def delete(log, dice: random.Random) -> str:
    # The last row is the cut tail, which needs a saved head; see below.
    row = dice.randint(1, ROWS - 1)
    log.execute("DELETE FROM core_auditevent WHERE sequence = %s", [row])
    if dice.random() < 0.5:
        # The thief closes the gap.
        log.execute(
            "UPDATE core_auditevent SET sequence = -sequence + 1 WHERE sequence > %s", [row]
        )
        log.execute("UPDATE core_auditevent SET sequence = -sequence WHERE sequence <= 0")
    return f"deleted {row}"


def insert(log, dice: random.Random) -> str:
    row = dice.randint(1, ROWS)
    log.execute("UPDATE core_auditevent SET sequence = -sequence - 1 WHERE sequence >= %s", [row])
    log.execute("UPDATE core_auditevent SET sequence = -sequence WHERE sequence < 0")
    log.execute(
        "INSERT INTO core_auditevent SELECT (jsonb_populate_record(e, jsonb_build_object("
        "'id', e.id + 1000000, 'sequence', %s::bigint, 'reason', 'slipped in'))).* "
        "FROM core_auditevent e WHERE sequence = %s",
        [row, row + 1],
    )
    return f"inserted before {row}"


def reorder(log, dice: random.Random) -> str:
    one, other = dice.sample(range(1, ROWS + 1), 2)
    log.execute(
        "UPDATE core_auditevent SET sequence = -(CASE sequence WHEN %s THEN %s ELSE %s END) "
        "WHERE sequence IN (%s, %s)",
        [one, other, one, one, other],
    )
    log.execute("UPDATE core_auditevent SET sequence = -sequence WHERE sequence < 0")
    return f"swapped {one} and {other}"


def test_every_one_of_a_thousand_rewritings_is_found(log, record_figure):
    dice = random.Random(20261125)  # noqa: S311 - no secret
    deeds = [edit, delete, insert, reorder]
    missed = []

    for _ in range(TIMES):
        deed = dice.choice(deeds)(log, dice)
        if not list(audit.verify_chain()):
            missed.append(deed)
        restore(log)

    record_figure(
        f"Audit log rewritten: {TIMES - len(missed)} of {TIMES} random edits, deletions, "
        "insertions and reorderings found"
    )
    assert missed == []
    assert list(audit.verify_chain()) == []


def test_a_cut_tail_needs_a_head_that_was_saved_elsewhere(log):
    saved = audit.head()

    for rows in range(1, ROWS + 1):
        log.execute("DELETE FROM core_auditevent WHERE sequence > %s", [ROWS - rows])
        assert list(audit.verify_chain()) == []
        assert list(audit.verify_chain(saved)) != []
        restore(log)


def test_a_log_that_was_written_anew_is_found_by_its_saved_head(log):
    saved = audit.head()
    previous = audit.GENESIS
    log.execute("UPDATE core_auditevent SET reason = 'all was well'")
    for event in list(audit.AuditEvent.objects.order_by("sequence")):
        event.previous_hash = previous
        event.hash = previous = audit.hash_of(event)
        log.execute(
            "UPDATE core_auditevent SET previous_hash = %s, hash = %s WHERE sequence = %s",
            [event.previous_hash, event.hash, event.sequence],
        )

    assert list(audit.verify_chain()) == []
    assert [found.problem for found in audit.verify_chain(saved)] == [
        "its hash is not the saved head's"
    ]


def test_a_saved_head_is_a_line_of_text(log):
    head = audit.head()
    text = f"{audit.line_of(audit.Head(1, 'a'))}\n{audit.line_of(head)}\n\n"

    assert audit.saved_head(text) == head
    assert audit.saved_head("\n") is None
