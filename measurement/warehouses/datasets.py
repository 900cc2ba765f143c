"""What is asked of a dataset itself, beside metrics: how many rows a day, which is the newest,
and which of its columns are gone or hold something else."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.errors import SourceUnavailable
from measurement.warehouses.base import Limits, Warehouse
from semantics.definition import Column, ColumnType, DatasetSpec, Query, TimeDimension
from semantics.guard import to_dialect


def rows_by_day(
    warehouse: Warehouse,
    dataset: DatasetSpec,
    start: date,
    until: date,
    limits: Limits,
    *,
    now: datetime | None = None,
) -> dict[date, int]:
    """How many rows each day of the dataset's zone has; days without rows are left out."""
    day = _local_day(warehouse, dataset)
    # Put together from texts that the guard has rendered.
    query = (
        f"SELECT {day} AS day, count(*) AS rows FROM {_relation(warehouse, dataset)} "  # noqa: S608
        f"WHERE {day} >= DATE '{start}' AND {day} < DATE '{until}' GROUP BY 1"
    )
    answer = warehouse.query(query, limits, now=now)
    return {row_day: int(rows) for row_day, rows in answer.rows}


def newest_row(
    warehouse: Warehouse, dataset: DatasetSpec, limits: Limits, *, now: datetime | None = None
) -> datetime | None:
    """When the newest row happened: its instant or, when only days are known, the end of its day
    in the dataset's zone."""
    moment, relation = _time(warehouse, dataset), _relation(warehouse, dataset)
    # Put together from texts that the guard has rendered.
    query = f"SELECT max({moment}) AS newest FROM {relation}"  # noqa: S608
    answer = warehouse.query(query, limits, now=now)
    newest = answer.rows[0][0] if answer.rows else None
    if newest is None:
        return None
    if isinstance(newest, datetime):
        if newest.tzinfo is not None:
            return newest.astimezone(UTC)
        zone = UTC if _time_dimension(dataset).is_utc_timestamp else ZoneInfo(dataset.time_zone)
        return newest.replace(tzinfo=zone).astimezone(UTC)
    midnight = datetime.combine(newest + timedelta(days=1), time(), ZoneInfo(dataset.time_zone))
    return midnight.astimezone(UTC)


def missing_columns(warehouse: Warehouse, dataset: DatasetSpec) -> list[str]:
    """The declared columns that the table no longer has. Queries are not looked into."""
    if isinstance(dataset.relation, Query):
        return []
    there = {name.lower() for name in warehouse.columns(dataset.relation.name)}
    return [column.name for column in dataset.columns if column.name.lower() not in there]


# What a declared type may be at a source, by how its name there begins. Types of other names are
# not judged.
_NUMBERS = ("INT", "BIGINT", "SMALLINT", "TINYINT", "HUGEINT", "U", "DECIMAL", "NUMERIC", "DOUBLE")
_FAMILIES: dict[str, tuple[str, ...]] = {
    "number": (*_NUMBERS, "FLOAT", "REAL"),
    "text": ("VARCHAR", "TEXT", "CHARACTER"),
    "time": ("DATE", "TIMESTAMP"),
    "truth": ("BOOL",),
}
_FAMILY_OF = {
    ColumnType.STRING: "text",
    ColumnType.INTEGER: "number",
    ColumnType.DECIMAL: "number",
    ColumnType.FLOAT: "number",
    ColumnType.BOOLEAN: "truth",
    ColumnType.DATE: "time",
    ColumnType.TIMESTAMP: "time",
}


def retyped_columns(warehouse: Warehouse, dataset: DatasetSpec) -> list[tuple[Column, str]]:
    """The declared columns that hold something of another kind now, with its name there."""
    if isinstance(dataset.relation, Query):
        return []
    there = {
        name.lower(): type_ for name, type_ in warehouse.columns(dataset.relation.name).items()
    }
    found = []
    for column in dataset.columns:
        type_ = there.get(column.name.lower(), "").upper()
        families = [name for name, begins in _FAMILIES.items() if type_.startswith(begins)]
        if type_ and families and families[0] != _FAMILY_OF[column.type]:
            found.append((column, type_))
    return found


def what_is_missing(
    warehouse: Warehouse, source_key: str, datasets: Mapping[str, DatasetSpec]
) -> SourceUnavailable | None:
    """Say which declared columns or tables are gone or hold something else, when that is why a
    query failed."""
    for key, dataset in datasets.items():
        missing = missing_columns(warehouse, dataset)
        table = getattr(dataset.relation, "name", "") if missing else ""
        if missing and len(missing) == len(dataset.columns):
            return SourceUnavailable(
                f"The source `{source_key}` no longer has the table `{table}` that the dataset "
                f"`{key}` reads. The last good values stay.",
                dataset=key,
                table=table,
            )
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            return SourceUnavailable(
                f"`{table}` of the source `{source_key}` no longer has {names}, which the dataset "
                f"`{key}` declares. The last good values stay. Change the dataset to follow.",
                dataset=key,
                table=table,
                columns=missing,
            )
        if retyped := retyped_columns(warehouse, dataset):
            names = ", ".join(
                f"`{column.name}` as {found}, and the dataset `{key}` declares {column.type}"
                for column, found in retyped
            )
            return SourceUnavailable(
                f"`{getattr(dataset.relation, 'name', '')}` of the source `{source_key}` now has "
                f"{names}. The last good values stay. Change the dataset to follow.",
                dataset=key,
                columns=[column.name for column, _ in retyped],
            )
    return None


def _time_dimension(dataset: DatasetSpec) -> TimeDimension:
    return next(
        dimension
        for dimension in dataset.dimensions
        if isinstance(dimension, TimeDimension) and dimension.name == dataset.time_dimension
    )


def _relation(warehouse: Warehouse, dataset: DatasetSpec) -> str:
    if isinstance(dataset.relation, Query):
        return f"({to_dialect(dataset.relation.sql, warehouse.dialect)}) AS dataset_rows"
    return dataset.relation.name


def _time(warehouse: Warehouse, dataset: DatasetSpec) -> str:
    return to_dialect(_time_dimension(dataset).expression, warehouse.dialect)


def _local_day(warehouse: Warehouse, dataset: DatasetSpec) -> str:
    moment = _time(warehouse, dataset)
    if _time_dimension(dataset).is_utc_timestamp:
        moment = f"({moment}) AT TIME ZONE 'UTC' AT TIME ZONE '{dataset.time_zone}'"
    return f"CAST({moment} AS DATE)"
