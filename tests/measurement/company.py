"""A small shop in Parquet files whose every number can be worked out by hand.

From `FIRST` on for `days` days: day d (0 is the first) has 1 + d % 3 orders, alternating between
the stores north, south and one that is not known. Order i of day d is over 10.00 * (d + 1) + i.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from measurement.models import Source

FIRST = date(2026, 1, 5)  # a Monday
STORES = ("north", "south", None)


@dataclass(frozen=True)
class Order:
    number: int
    day: date
    store: str | None
    customer: int
    amount: Decimal
    # When the row reached the source: late rows come days after they happened.
    arrived: date


def orders(days: int, *, first: date = FIRST) -> list[Order]:
    found = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        for i in range(1 + offset % 3):
            found.append(
                Order(
                    number=len(found) + 1,
                    day=day,
                    store=STORES[(offset + i) % 3],
                    customer=(offset * 7 + i) % 5,
                    amount=Decimal(10 * (offset + 1) + i),
                    arrived=day,
                )
            )
    return found


def write(folder: Path, rows: list[Order], *, without: str = "") -> None:
    """Write the orders as a file, possibly without one of its columns."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE orders (number integer, day date, store varchar, customer integer, "
        "amount decimal(12, 2), arrived date)"
    )
    if rows:
        connection.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)",
            [[r.number, r.day, r.store, r.customer, r.amount, r.arrived] for r in rows],
        )
    columns = f"* EXCLUDE ({without})" if without else "*"
    fresh = folder / "fresh.tmp"
    connection.sql(f"SELECT {columns} FROM orders").write_parquet(str(fresh))  # noqa: S608
    connection.close()
    fresh.rename(folder / "orders.parquet")


def make_source(folder: Path, *, key: str = "shop", **config) -> Source:
    """A source over the files of a folder; rows that have not arrived yet are hidden."""
    return Source.objects.create(
        key=key,
        name="Shop",
        kind="duckdb",
        time_limit_seconds=30,
        first_day=FIRST,
        config={
            "folder": str(folder),
            "schema": "shop",
            "views": {
                "orders": "SELECT * FROM read_parquet('{folder}/orders.parquet') "
                "WHERE arrived <= CAST(getvariable('etalon_now') AS DATE)"
            },
            **config,
        },
    )
