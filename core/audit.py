"""The audit log: appended by services in the transaction of what they record, chained by hashes.

Each row's hash covers the hash before it and the row's own content in canonical JSON, so that an
edit, a deletion, an insertion or a reordering breaks the chain at the place where it was made. A
cut tail leaves a valid chain; it is found against a head saved elsewhere (`verify_chain`).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, models, transaction

from core import clock
from core.errors import Invalid
from core.models import AuditEvent
from core.request_ids import current_request_id

GENESIS = "0" * 64
# One writer at a time appends; the number is arbitrary and only has to be this log's own.
_CHAIN_LOCK = 0x657461_6C6F6E
SYSTEM = "Etalon"
_BODY = (
    "sequence",
    "happened_at",
    "recorded_at",
    "is_simulated",
    "actor_id",
    "actor_label",
    "via",
    "action",
    "subject_type",
    "subject_id",
    "subject_label",
    "reason",
    "detail",
    "request_id",
)


@dataclass(frozen=True)
class Head:
    """The end of the chain: how many rows there are and the hash of the last."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class Break:
    """The first place at which the chain does not hold, and what is wrong there."""

    sequence: int
    problem: str


def record(
    action: str,
    subject: models.Model,
    *,
    actor,
    via: str = "service",
    reason: str = "",
    **detail,
) -> AuditEvent:
    """Append one event. Call it inside the transaction that does what the event says.

    `actor` None means the system. What an HTTP request caused carries its id. The advisory lock is
    held until that transaction ends, so that the chain has no gap and no fork.
    """
    return record_each(action, [(subject, detail)], actor=actor, via=via, reason=reason)[0]


def record_each(
    action: str,
    deeds: Iterable[tuple[models.Model, dict]],
    *,
    actor,
    via: str = "service",
    reason: str = "",
) -> list[AuditEvent]:
    """Append one event for each subject with its detail, in their order, as `record` does."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An audit event needs its deed's transaction.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s), clock_timestamp()", [_CHAIN_LOCK])
        recorded_at = cursor.fetchone()[1]
    last = AuditEvent.objects.order_by("-sequence").values_list("sequence", "hash").first()
    sequence, previous_hash = last or (0, GENESIS)
    events = []
    for subject, detail in deeds:
        sequence += 1
        event = AuditEvent(
            sequence=sequence,
            happened_at=clock.now(),
            recorded_at=recorded_at,
            is_simulated=clock.is_simulated(),
            actor_id=actor.pk if actor else None,
            actor_label=str(actor) if actor else SYSTEM,
            via=via,
            action=action,
            subject_type=subject._meta.label_lower,
            subject_id=str(subject.pk),
            subject_label=str(subject)[:200],
            reason=reason,
            detail=detail,
            request_id=current_request_id(),
            previous_hash=previous_hash,
        )
        event.hash = previous_hash = hash_of(event)
        events.append(event)
    return AuditEvent.objects.bulk_create(events)


def hash_of(event: AuditEvent) -> str:
    """SHA-256 over the previous hash and the event's canonical JSON."""
    body = {name: _plain(getattr(event, name)) for name in _BODY}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{event.previous_hash}{text}".encode()).hexdigest()


def _plain(value):
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value


def head() -> Head:
    last = AuditEvent.objects.order_by("-sequence").values_list("sequence", "hash").first()
    return Head(*(last or (0, GENESIS)))


def line_of(head: Head) -> str:
    """A head as one line of text, to be kept outside of the database."""
    return json.dumps({"sequence": head.sequence, "hash": head.hash})


def saved_head(text: str) -> Head | None:
    """The last head of a text of such lines, or None when it holds none.

    Raises Invalid for a line that is not a head, since a check against nothing would pass.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    try:
        found = json.loads(lines[-1])
        return Head(int(found["sequence"]), str(found["hash"]))
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid(f"This is not a head of the audit log: {lines[-1][:80]}") from error


def verify_chain(saved: Head | None = None) -> Iterator[Break]:
    """Yield every break of the chain; nothing when it is whole.

    With `saved`, a head that was kept elsewhere, a tail that was cut off since is found too.
    """
    expected, previous = 1, GENESIS
    saved_seen = saved is None or saved.sequence == 0
    for event in AuditEvent.objects.order_by("sequence").iterator(chunk_size=2000):
        if event.sequence != expected:
            yield Break(event.sequence, f"row {expected} is missing")
        if event.previous_hash != previous:
            yield Break(event.sequence, "it does not follow the row before it")
        if hash_of(event) != event.hash:
            yield Break(event.sequence, "its content is not what was recorded")
        if saved and event.sequence == saved.sequence:
            saved_seen = True
            if event.hash != saved.hash:
                yield Break(event.sequence, "its hash is not the saved head's")
        expected, previous = event.sequence + 1, event.hash
    if saved and not saved_seen:
        yield Break(
            expected, f"the log ends before row {saved.sequence}, which was saved as its head"
        )
