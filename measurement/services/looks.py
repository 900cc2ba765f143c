"""Looking at a table of a source before anything is said of it: its columns, by a worker."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings

from core import clock, jobs
from core.errors import EtalonError, Invalid, NotAllowed, SourceTooSlow, SourceUnavailable
from measurement import policies
from measurement.models import Source, TableLook
from measurement.warehouses import open_source
from semantics.definition import Table
from semantics.problems import nearest

# Long enough to be read by who waits, however slow.
KEPT = timedelta(hours=1)
_POLL_SECONDS = 0.05
_PATTERN = next(each.pattern for each in Table.model_fields["name"].metadata)


def columns_at_source(source: Source, table: str, *, actor) -> Mapping[str, str]:
    """The columns of a table with their types as the source names them, in its order.

    A worker looks, since engines are heavy. Raises Invalid when there is no such table, and
    SourceUnavailable or SourceTooSlow when nothing could be learnt in time.
    """
    if why := policies.why_not_look(actor):
        raise NotAllowed(why)
    table = table.strip()
    if not re.match(_PATTERN, table):
        raise _no_table(f"“{table[:60]}” is no name of a table.", "Write it like shop.orders.")
    look = TableLook.objects.create(source=source, table=table, asked_at=clock.now())
    jobs.ring("measurement.tasks.look_at_table", look.pk)
    return _answer(look)


def _answer(look: TableLook) -> dict[str, str]:
    deadline = time.monotonic() + settings.LIVE_SECONDS
    while look.found is None and not look.error:
        if time.monotonic() > deadline:
            raise SourceTooSlow(
                f"No answer within {settings.LIVE_SECONDS:.0f} seconds. Try again in a while."
            )
        time.sleep(_POLL_SECONDS)
        look.refresh_from_db()
    if look.error:
        raise SourceUnavailable(look.error)
    found = look.found or {}
    if not found["columns"]:
        near = nearest(look.table, found["tables"])
        listed = ", ".join(f"`{name}`" for name in found["tables"][:12])
        there_are = f"There is {listed}." if listed else "The source offers no table."
        raise _no_table(
            f"The source `{look.source.key}` has no table `{look.table}`.", near or there_are
        )
    return dict(found["columns"])


def _no_table(message: str, fix: str) -> Invalid:
    problem = {"place": "table", "code": "unknown_table", "message": message, "fix": fix}
    return Invalid(f"{message} {fix}", problems=[problem])


def take_look(look_id: int) -> None:
    """Open the source and write down what it answers, unless that was done already."""
    look = TableLook.objects.select_related("source").filter(pk=look_id).first()
    if look is None or look.found is not None or look.error:
        return
    try:
        warehouse = open_source(look.source)
        columns = warehouse.columns(look.table)
        tables = [] if columns else warehouse.tables()
        look.found = {"columns": list(columns.items()), "tables": tables}
    except EtalonError as error:
        look.error = error.message
    look.save(update_fields=["found", "error"])


def forget_looks() -> None:
    """Remove looks that nobody waits for any more."""
    TableLook.objects.filter(asked_at__lt=clock.now() - KEPT).delete()
