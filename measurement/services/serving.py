"""What readers are shown: a metric follows the newest resolution whose values are there."""

from collections.abc import Collection

from django.db import connection

from catalog.models import Metric, Resolution
from core import clock
from core.row_history import sign
from measurement.models import Backfill, Served


def database_time():
    """The database's clock, after all locks of the transaction were waited for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def serve_targets(backfill: Backfill, *, moved: Collection[str] = ()) -> None:
    """Show readers the resolutions that a run has computed, inside its transaction.

    `moved` are the hashes of those with other values than before. A metric never goes back: an
    older run that ends late leaves a newer resolution in place.
    """
    targets = backfill.targets.exclude(metric=None).order_by("metric_id")
    for target in targets:
        metric = Metric.objects.select_for_update(of=("self",)).get(entry_ptr=target.metric)
        resolution = _newest(metric, target.resolution_hash)
        if resolution is not None:
            Served.objects.create(
                metric=metric, resolution=resolution, backfill=backfill, since=database_time()
            )
            metric.served_resolution = resolution
        if resolution is not None or target.resolution_hash in moved:
            metric.revision += 1
            metric.changed_at = clock.now()
            sign(metric, actor=None, reason=f"{backfill} switched")
            metric.save(update_fields=["served_resolution", "revision", "changed_at"])


def _newest(metric: Metric, hash_: str) -> Resolution | None:
    """The resolution to move to: the latest with these definitions that is not behind what is
    served, and not ahead of what is in force."""
    found = Resolution.objects.filter(metric=metric, hash=hash_)
    if metric.current_resolution is not None:
        found = found.filter(number__lte=metric.current_resolution.number)
    if metric.served_resolution is not None:
        found = found.filter(number__gt=metric.served_resolution.number)
    return found.order_by("-number").first()
