"""Sources of data. `open_source` is the only door; drivers are imported when they are used."""

import os
import threading

from django.utils.module_loading import import_string

from measurement.choices import SourceKind
from measurement.models import Source
from measurement.warehouses.base import Warehouse

# Named as text: an engine takes memory that a web process does not spend.
DRIVERS = {
    SourceKind.DUCKDB: "measurement.warehouses.duckdb.DuckDb",
    SourceKind.POSTGRESQL: "measurement.warehouses.postgresql.PostgreSql",
}

_open = threading.local()


def open_source(source: Source) -> Warehouse:
    """The source's connection of this thread, opened anew when its definition or files changed.

    Raises SourceUnavailable when it cannot be opened.
    """
    if getattr(_open, "process", None) != os.getpid():
        # A connection does not survive a fork.
        _open.process, _open.warehouses = os.getpid(), {}
    key, definition = source.pk, (source.kind, repr(source.config))
    known, warehouse = _open.warehouses.get(key, (None, None))
    if warehouse is not None and (known != definition or not warehouse.is_current()):
        _open.warehouses.pop(key)
        warehouse.close()
        warehouse = None
    if warehouse is None:
        warehouse = import_string(DRIVERS[SourceKind(source.kind)])(source.key, source.config)
        _open.warehouses[key] = (definition, warehouse)
    return warehouse


def close_sources() -> None:
    """Close this thread's connections."""
    for _, warehouse in getattr(_open, "warehouses", {}).values():
        warehouse.close()
    _open.warehouses = {}
