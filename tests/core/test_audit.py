"""The audit log is chained and is never rewritten."""

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from core import audit
from core.models import AuditEvent


@pytest.fixture
def person(db):
    return User.objects.create_user("ana", full_name="Ana Ruiz")


def _record(person, count: int = 1):
    with transaction.atomic():
        return [audit.record("test.done", person, actor=person, n=n) for n in range(count)]


def test_each_event_follows_the_one_before(person):
    first, second = _record(person, 2)

    assert (first.sequence, second.sequence) == (1, 2)
    assert first.previous_hash == audit.GENESIS
    assert second.previous_hash == first.hash
    assert list(audit.verify_chain()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditevent SET reason = 'other'",
        "DELETE FROM core_auditevent",
        "TRUNCATE core_auditevent",
    ],
)
def test_events_are_never_rewritten(person, statement):
    _record(person)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert AuditEvent.objects.count() == 1


def test_an_event_outside_of_its_deeds_transaction_is_refused(committed_db):
    person = User.objects.create_user("ben")

    with pytest.raises(transaction.TransactionManagementError):
        audit.record("test.done", person, actor=person)
