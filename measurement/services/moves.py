"""How a run goes from one state to the next. Callers hold the row's lock and a transaction."""

from core import audit
from core.errors import WrongState
from core.jobs import ring
from core.row_history import keep_quiet, sign
from measurement.choices import BACKFILL_MOVES, PASSING, BackfillStatus, Purpose
from measurement.models import Backfill

# Their moves are in the audit log. Daily runs and questions have their rows, which say the same.
_AUDITED = frozenset({Purpose.PUBLISH, Purpose.MANUAL})


def lock(pk: int) -> Backfill:
    return Backfill.objects.select_for_update().get(pk=pk)


def require(backfill: Backfill, action: str) -> None:
    if backfill.status not in BACKFILL_MOVES[action][0]:
        state = BackfillStatus(backfill.status).label.lower()
        raise WrongState(
            f"This run is {state}; it cannot {action} any more from there.",
            status=backfill.status,
            action=action,
        )


def move(
    backfill: Backfill, action: str, *, actor=None, via: str = "worker", reason: str = "", **fields
) -> Backfill:
    """Take one move of the table, with what else changes in the row, and record it."""
    require(backfill, action)
    status = BACKFILL_MOVES[action][1]
    save(backfill, actor=actor, reason=reason, status=status, **fields)
    if backfill.purpose in _AUDITED or (actor is not None and backfill.purpose not in PASSING):
        detail = {"error": backfill.error} if backfill.error else {}
        audit.record(f"backfill.{action}", backfill, actor=actor, via=via, reason=reason, **detail)
    return backfill


def save(backfill: Backfill, *, actor=None, reason: str = "", **fields) -> None:
    """Write some fields; a live question leaves no row history."""
    for name, value in fields.items():
        setattr(backfill, name, value)
    sign(backfill, actor=actor, reason=reason)
    if backfill.purpose == Purpose.LIVE:
        keep_quiet(backfill)
    backfill.save(update_fields=fields)


def ring_for(backfill: Backfill) -> None:
    """Ask a worker of the right kind to look at a run: people wait for previews."""
    name = "run_preview" if backfill.purpose in PASSING else "run_backfill"
    ring(f"measurement.tasks.{name}", backfill.pk)
