"""Doorbells and beat's errands of this room. Rows say what there is to do; bodies are short."""

from celery import shared_task
from celery.signals import worker_init
from django.utils.module_loading import import_string

from measurement.services import checks, daily, looks, sweeping, turns
from measurement.warehouses.base import end_process_when_deaf


@worker_init.connect
def warm_up(**_) -> None:
    """Import compiler and engine before a worker's children are made: they share the memory, and
    no preview waits for an import."""
    import_string("semantics.metricflow.compile_question")
    import_string("measurement.warehouses.duckdb.DuckDb")
    end_process_when_deaf()


@shared_task
def run_backfill(backfill_id: int) -> None:
    """Compute some due windows of a run, then hand over to the next turn.

    Safe to deliver twice, to run in parallel and to kill at any point.
    """
    if turns.take_turn(backfill_id):
        run_backfill.delay(backfill_id)


@shared_task
def run_preview(backfill_id: int) -> None:
    """The same for what a person waits for, on a queue of its own."""
    if turns.take_turn(backfill_id):
        run_preview.delay(backfill_id)


@shared_task
def look_at_table(look_id: int) -> None:
    """Ask a source for the columns of a table. Somebody waits; done twice it is done once."""
    looks.take_look(look_id)


@shared_task
def sweep() -> None:
    """Ring again for runs with due work, let go what a check no longer holds, and tidy up."""
    sweeping.sweep()


@shared_task
def extend_daily() -> None:
    """Plan a daily run of every live metric whose source has more rows than its series."""
    daily.extend_live_metrics()


@shared_task
def run_checks() -> None:
    """Run every check that is due."""
    checks.run_due_checks()
