"""Telling those who answer for a metric how a run of it ended."""

import hashlib

from accounts.models import User
from catalog.models import Ownership
from core.notices import tell
from measurement.choices import BackfillStatus, Purpose
from measurement.models import Backfill

_SAYS = {
    BackfillStatus.DONE: "is done; its values are shown now.",
    BackfillStatus.FAILED: "failed. The values from before stay.",
    BackfillStatus.HELD: "is held back by a check. The values from before stay.",
}


def tell_of(backfill: Backfill) -> None:
    """Leave a notice with owners, stewards and who started it. A daily run speaks up only when
    something is wrong with it, and once a day."""
    is_daily = backfill.purpose == Purpose.DAILY
    if backfill.status not in _SAYS or is_daily and backfill.status == BackfillStatus.DONE:
        return
    targets = [target for target in backfill.targets.all() if target.metric_id]
    metrics = [target.metric_id for target in targets]
    people = set(Ownership.objects.filter(entry__in=metrics).values_list("user", flat=True))
    if backfill.actor_id is not None:
        people.add(backfill.actor_id)
    keys = ", ".join(sorted({target.key for target in targets}))
    said = _SAYS[BackfillStatus(backfill.status)]
    # A run of many metrics has a long name, and the day must still be a part of the key.
    name = hashlib.sha256(keys.encode()).hexdigest()[:16]
    event = f"daily:{name}:{backfill.created_at:%Y-%m-%d}" if is_daily else f"run:{backfill.pk}"
    tell(
        User.objects.filter(pk__in=people, is_active=True),
        key=f"{event}:{backfill.status}",
        kind=f"run_{backfill.status}",
        text=f"{backfill} of {keys} {said} {backfill.error}".strip()[:400],
        url=f"/backfills/{backfill.pk}",
    )
