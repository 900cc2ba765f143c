from django.db import models


class SourceKind(models.TextChoices):
    DUCKDB = "duckdb", "DuckDB over files"
    POSTGRESQL = "postgresql", "PostgreSQL"


# How much of a window one row fills. Files without partitions are read whole by each window, so
# that larger windows suit them better than a database.
ROW_WEIGHTS = {SourceKind.DUCKDB: 1.0, SourceKind.POSTGRESQL: 8.0}


class Purpose(models.TextChoices):
    """Why a range is computed. The code path is the same for all."""

    PREVIEW = "preview", "Preview"
    PUBLISH = "publish", "New version"
    DAILY = "daily", "Daily run"
    MANUAL = "manual", "By hand"
    LIVE = "live", "Live question"


# What stays under its run and is never switched into series.
PASSING = frozenset({Purpose.PREVIEW, Purpose.LIVE})


class BackfillStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    HELD = "held", "Held back by a check"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


B = BackfillStatus

# action -> (states it may start from, state it leads to)
BACKFILL_MOVES: dict[str, tuple[frozenset[BackfillStatus], BackfillStatus]] = {
    "start": (frozenset({B.PLANNED}), B.RUNNING),
    "pause": (frozenset({B.PLANNED, B.RUNNING}), B.PAUSED),
    "resume": (frozenset({B.PAUSED}), B.PLANNED),
    "hold": (frozenset({B.PLANNED, B.RUNNING}), B.HELD),
    "release": (frozenset({B.HELD}), B.PLANNED),
    "retry": (frozenset({B.FAILED}), B.PLANNED),
    "fail": (frozenset({B.PLANNED, B.RUNNING}), B.FAILED),
    "finish": (frozenset({B.RUNNING}), B.DONE),
    "cancel": (frozenset({B.PLANNED, B.RUNNING, B.PAUSED, B.HELD, B.FAILED}), B.CANCELLED),
}
UNFINISHED = frozenset({B.PLANNED, B.RUNNING, B.PAUSED, B.HELD})


class WindowState(models.TextChoices):
    DUE = "due", "Due"
    LEASED = "leased", "Being computed"
    DONE = "done", "Done"
    PARKED = "parked", "Parked after too many attempts"


class CheckKind(models.TextChoices):
    FRESHNESS = "freshness", "Freshness"
    ROW_COUNT = "row_count", "Row count"


class Outcome(models.TextChoices):
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    ERROR = "error", "Could not run"
