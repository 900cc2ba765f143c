"""What all verbs on a change request share: the lock, the state, the move, the record."""

from __future__ import annotations

from django.db import connection

from core import audit, clock
from core.errors import NotAllowed, NotFound, StaleRevision, WrongState
from core.row_history import sign
from governance.choices import MOVES, Status
from governance.models import ChangeRequest

CLOSED = frozenset({Status.PUBLISHED, Status.REJECTED, Status.WITHDRAWN})


def locked(request: ChangeRequest) -> ChangeRequest:
    """The row as it is now, with everybody else waiting. Always the first query of a verb.

    It is read by itself: rows joined to it would be those from before the wait.
    """
    found = ChangeRequest.objects.select_for_update().filter(pk=request.pk).first()
    if found is None:
        raise NotFound(f"There is no change request {request}.")
    return found


# One publish at a time, since what stands on what must not move while it is written down. It is
# taken after the request's row and before the audit log's lock.
_PUBLISH_LOCK = 0x6574616C_7075


def one_publish_at_a_time() -> None:
    """Wait until no other transaction publishes; released when this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PUBLISH_LOCK])


def permit(reason: str | None) -> None:
    if reason:
        raise NotAllowed(reason)


def require(request: ChangeRequest, action: str) -> None:
    """Refuse an action that the state does not allow."""
    sources, _ = MOVES[action]
    if request.status not in sources:
        state = Status(request.status).label.lower()
        raise WrongState(f"{request} is {state}.", status=request.status, action=action)


def require_revision(
    request: ChangeRequest, revision_hash: str, *, number: int | None = None
) -> None:
    """Refuse a decision on another text than the one at hand, or on one that is being edited."""
    revision = request.revision
    if revision is not None and request.status == Status.DRAFT:
        raise StaleRevision(
            f"r{revision.number} was taken back to be edited. Wait for r{revision.number + 1}, "
            "then decide again.",
            revision=revision.number,
            hash=None,
        )
    if revision is None:
        raise StaleRevision("Nothing was submitted yet.", revision=None, hash=None)
    if revision.hash != revision_hash or number not in (None, revision.number):
        raise StaleRevision(
            f"r{revision.number} was submitted while you read. See what changed, then decide "
            "again.",
            revision=revision.number,
            hash=revision.hash,
        )


def move(request: ChangeRequest, action: str, *, actor, reason: str = "", **fields) -> None:
    _, target = MOVES[action]
    if target is not None:
        request.status = target
    for name, value in fields.items():
        setattr(request, name, value)
    if request.status in CLOSED:
        request.closed_at = clock.now()
    sign(request, actor=actor, reason=reason or action)
    request.save()


def record(action: str, request: ChangeRequest, *, actor, via: str, reason: str = "", **detail):
    return audit.record(f"change.{action}", request, actor=actor, via=via, reason=reason, **detail)
