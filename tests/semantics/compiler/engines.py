"""The small tables of the compiler's tests, in both engines, and how to ask them."""

import math
import uuid
from datetime import date, datetime
from decimal import Decimal

import duckdb
import psycopg

from semantics.guard import Dialect
from tests.database import superuser_url

TABLES = """
CREATE TABLE lines (
    id integer, basket integer, customer integer, product integer, store text, day date,
    amount decimal(10, 2), quantity integer, gift boolean
);
INSERT INTO lines VALUES
    (1,  1,  1,    1,    'N',  '2026-01-31', 10.00, 1, false),
    (2,  1,  1,    2,    'N',  '2026-01-31',  5.00, 2, true),
    (3,  2,  2,    1,    'S',  '2026-02-28', 20.00, 1, false),
    (4,  3,  1,    3,    'N',  '2026-03-01',  7.00, 0, false),
    (5,  4,  NULL, 2,    'N',  '2026-03-02',  8.00, 4, false),
    (6,  5,  2,    9,    NULL, '2026-03-02',  2.00, 1, true),
    (7,  6,  3,    NULL, 'S',  '2026-03-04',  NULL, 3, NULL),
    (8,  7,  1,    1,    'S',  '2026-03-08', 30.00, 2, false),
    (9,  8,  3,    2,    'S',  '2026-03-09',  1.00, 1, false),
    (10, 8,  3,    3,    'S',  '2026-03-09',  4.00, 1, false),
    (11, 9,  1,    4,    'N',  '2026-03-31',  6.00, 6, true),
    (12, 10, 2,    1,    'N',  '2026-04-01', 12.00, 3, false);

CREATE TABLE products (id integer, brand text, maker text, price decimal(10, 2));
INSERT INTO products VALUES
    (1, 'Acme', 'm1', 9.50), (2, 'Own', 'm2', 2.00), (3, NULL, 'm1', NULL),
    (4, 'Unknown', NULL, 1.00);

CREATE TABLE makers (id text, country text);
INSERT INTO makers VALUES ('m1', 'DE'), ('m2', 'FR');

CREATE TABLE customers (id integer, city text, joined date);
INSERT INTO customers VALUES
    (1, 'Rome', '2025-12-01'), (2, 'Oslo', '2026-02-01'), (3, NULL, '2026-03-04');

-- Baskets of the same shop that somebody else counted: a second set of rows.
CREATE TABLE visits (customer integer, day date, store text, minutes integer);
INSERT INTO visits VALUES
    (1, '2026-03-01', 'N', 5), (1, '2026-03-08', 'S', 7), (2, '2026-03-02', 'N', 1),
    (3, '2026-03-03', 'S', 2), (3, '2026-03-09', 'S', 9), (NULL, '2026-03-09', 'N', 4);

-- UTC instants around midnight and the changes of the clocks in New York.
CREATE TABLE clicks ("at" timestamp, at_zoned timestamptz, person text);
INSERT INTO clicks VALUES
    ('2026-03-07 04:59:59', '2026-03-07 04:59:59+00', 'a'),
    ('2026-03-07 05:00:00', '2026-03-07 05:00:00+00', 'b'),
    ('2026-03-08 04:59:59', '2026-03-08 04:59:59+00', 'c'),
    ('2026-03-08 05:00:00', '2026-03-08 05:00:00+00', 'd'),
    ('2026-03-08 07:00:00', '2026-03-08 07:00:00+00', 'e'),
    ('2026-03-09 03:59:59', '2026-03-09 03:59:59+00', 'f'),
    ('2026-03-09 04:00:00', '2026-03-09 04:00:00+00', 'g'),
    ('2026-11-01 04:30:00', '2026-11-01 04:30:00+00', 'h'),
    ('2026-11-02 04:59:59', '2026-11-02 04:59:59+00', 'i'),
    ('2026-11-02 05:00:00', '2026-11-02 05:00:00+00', 'j');

CREATE TABLE mailings (customer integer, campaign text, sent date);
INSERT INTO mailings VALUES
    (1, 'spring', '2026-03-01'), (2, 'spring', '2026-03-01'), (3, 'spring', '2026-03-01'),
    (1, 'summer', '2026-03-05'), (2, 'summer', '2026-03-05'), (4, NULL, '2026-03-05'),
    (3, 'summer', '2026-03-12');

CREATE TABLE redemptions (customer integer, campaign text, day date, coupons integer);
INSERT INTO redemptions VALUES
    (1, 'spring', '2026-03-01', 1), (1, 'spring', '2026-03-02', 2), (2, 'summer', '2026-03-04', 1),
    (2, 'spring', '2026-03-08', 1), (1, 'summer', '2026-03-11', 1), (4, NULL, '2026-03-06', 1),
    (3, 'summer', '2026-03-20', 5);

CREATE TABLE events (person text, kind text, day date);
INSERT INTO events VALUES
    ('a', 'visit', '2026-03-01'), ('a', 'purchase', '2026-03-01'), ('a', 'visit', '2026-03-05'),
    ('b', 'visit', '2026-03-01'), ('b', 'purchase', '2026-03-08'), ('c', 'visit', '2026-03-02'),
    ('c', 'purchase', '2026-03-04'), ('c', 'purchase', '2026-03-05'),
    (NULL, 'visit', '2026-03-02'), (NULL, 'purchase', '2026-03-02');

-- Names that mean something to an engine or to the compiler.
CREATE TABLE periods ("order" integer, "user" text, "group" text, on_day date, val integer);
INSERT INTO periods VALUES
    (1, 'x', 'g1', '2026-03-01', 3), (2, 'y', 'g2', '2026-03-01', 4), (3, 'x', 'g1', '2026-03-02', 5);
"""  # noqa: E501 (a table is read in columns)


class DuckDBEngine:
    """The tables in memory. The session's zone is another than anybody expects."""

    dialect = Dialect.DUCKDB

    def __init__(self):
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'Asia/Tokyo'")
        self.execute(TABLES)

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    def insert(self, table: str, row: tuple) -> None:
        slots = ", ".join("?" * len(row))
        self._connection.execute(f"INSERT INTO {table} VALUES ({slots})", row)  # noqa: S608

    def rows(self, sql: str) -> list[tuple]:
        return [plain(row) for row in self._connection.execute(sql).fetchall()]

    def close(self) -> None:
        self._connection.close()


class PostgreSQLEngine:
    """The tables in a schema of their own, which goes away in the end."""

    dialect = Dialect.POSTGRESQL

    def __init__(self):
        self._schema = f"compiler_{uuid.uuid4().hex[:12]}"
        self._connection = psycopg.connect(superuser_url("postgres"), autocommit=True)
        self.execute(f"CREATE SCHEMA {self._schema}")
        self.execute(f"SET search_path = {self._schema}")
        self.execute("SET TimeZone = 'Asia/Tokyo'")
        self.execute(TABLES)

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple]:
        return [plain(row) for row in self._connection.execute(sql).fetchall()]

    def close(self) -> None:
        self.execute(f"DROP SCHEMA {self._schema} CASCADE")
        self._connection.close()


def plain(row: tuple) -> tuple:
    """Numbers of every kind as float, rounded as values are before they are stored."""
    return tuple(_plain(cell) for cell in row)


def _plain(cell):
    if isinstance(cell, bool) or cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, int | float | Decimal):
        number = float(cell)
        digits = 12 - math.ceil(math.log10(abs(number))) if number else 0
        return round(number, digits)
    if isinstance(cell, datetime):
        raise AssertionError(f"{cell} is an instant, where a day is promised")
    assert isinstance(cell, date), cell
    return cell
