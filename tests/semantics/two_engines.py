"""The same rows on DuckDB and PostgreSQL, and what an expression gives for each of them."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal

import duckdb
import psycopg

from semantics.guard import Dialect, to_dialect
from tests.database import superuser_url

COLUMNS = {
    "id": "integer",
    "a": "integer",
    "b": "integer",
    "d": "decimal(12, 2)",
    "f": "double precision",
    "s": "varchar",
    "t": "varchar",
    "yes": "boolean",
    "day": "date",
    "at": "timestamp",
}


class Engines:
    """One small table `rows` in both engines."""

    def __init__(self):
        self.duck = duckdb.connect(config={"threads": 1})
        self.postgres = psycopg.connect(superuser_url("postgres"), autocommit=True)
        self.postgres.execute("SET TimeZone = 'UTC'")
        declared = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        self.duck.execute(f"CREATE TABLE rows ({declared})")
        self.postgres.execute(f"CREATE TEMP TABLE rows ({declared})")

    def close(self):
        self.duck.close()
        self.postgres.close()

    def fill(self, rows: list[tuple]) -> None:
        """Replace all rows. The first column, their number, is added here."""
        numbered = [(number, *row) for number, row in enumerate(rows)]
        self.duck.execute("DELETE FROM rows")
        self.postgres.execute("TRUNCATE rows")
        if not rows:
            return
        self.duck.executemany(_insert("?"), numbered)
        with self.postgres.cursor() as cursor:
            cursor.executemany(_insert("%s"), numbered)

    def rows(self, text: str, dialect: Dialect) -> list:
        """What a row-level expression gives for each row, in their order."""
        sql = " ".join(["SELECT", to_dialect(text, dialect), "FROM rows ORDER BY id"])
        return [plain(value) for (value,) in self.run(sql, dialect)]

    def kept(self, text: str, dialect: Dialect) -> list[int]:
        """The numbers of the rows that a filter keeps."""
        sql = " ".join(["SELECT id FROM rows WHERE", to_dialect(text, dialect), "ORDER BY id"])
        return [number for (number,) in self.run(sql, dialect)]

    def run(self, sql: str, dialect: Dialect) -> list[tuple]:
        if dialect == Dialect.DUCKDB:
            return self.duck.execute(sql).fetchall()
        return self.postgres.execute(sql).fetchall()


def _insert(slot: str) -> str:
    return " ".join(["INSERT INTO rows VALUES", f"({', '.join([slot] * len(COLUMNS))})"])


def plain(value):
    """A value as both engines say it: numbers to 12 digits, whole days as dates."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        number = float(value)
        if math.isnan(number) or math.isinf(number):
            return str(number)
        return float(f"{number:.12g}") + 0.0
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date()
    return value


def _row(a, b, d, f, s, t, yes, day, at):
    return (
        *(a, b, None if d is None else Decimal(d), f, s, t, yes),
        *(day and date.fromisoformat(day), at and datetime.fromisoformat(at)),
    )


ROWS = [
    _row(1, 2, "1.50", 0.1, "x", "Ab", True, "2024-01-31", "2024-01-31 23:59"),
    _row(7, 0, "-2.25", 2.5, "a_b%", "é", False, "2024-02-29", "2024-03-01 00:00"),
    _row(-7, 2, "0.00", -0.5, "", " a ", None, "2023-12-31", "2023-12-31 01:02"),
    _row(0, -3, "99.99", 1e6, "a\\b", "x-y-z", True, "2021-01-03", "2021-01-03 12:00"),
    _row(None, 5, None, None, None, "X", False, None, None),
    _row(5, None, "2.50", 3.5, "X", None, True, "2020-02-29", "2020-02-29 08:30"),
    _row(3, 3, "0.01", 0.0, "aab", "b", None, "2024-07-01", None),
]
