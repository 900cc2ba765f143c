"""DuckDB over files: what it answers, what it refuses, and when it is opened anew."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import EtalonError, QueryFailed, SourceTooSlow, SourceUnavailable, TooManyRows
from measurement.warehouses import close_sources, open_source
from measurement.warehouses.base import Limits, number
from tests.measurement import company

# DuckDB works these out while it plans, and hears no interrupt; the gate knows no list functions.
DEAF = {"select generate_series(1,1e8::int)", "select repeat('x',1000000000)"}
LIMITS = Limits(5)
LATER = datetime(2026, 3, 1, tzinfo=UTC)
SLOW = "SELECT count(*) FROM range(100000) a, range(100000) b WHERE a.range + b.range = -1"


@pytest.fixture
def folder(tmp_path):
    company.write(tmp_path / "shop", company.orders(9))
    return tmp_path / "shop"


@pytest.fixture
def source(db, folder):
    yield company.make_source(folder)
    close_sources()


def test_rows_come_with_names_and_exact_money(source):
    answer = open_source(source).query(
        "SELECT day, sum(amount) AS total FROM shop.orders GROUP BY 1 ORDER BY 1 LIMIT 2",
        LIMITS,
        now=LATER,
    )

    assert answer.columns == ("day", "total")
    assert answer.rows == [
        (date(2026, 1, 5), Decimal("10.00")),
        (date(2026, 1, 6), Decimal("41.00")),
    ]


def test_rows_that_arrive_later_than_the_instant_are_hidden(source):
    warehouse = open_source(source)
    count = "SELECT count(*) FROM shop.orders"

    early = warehouse.query(count, LIMITS, now=datetime(2026, 1, 6, 12, tzinfo=UTC))
    late = warehouse.query(count, LIMITS, now=LATER)

    assert early.rows == [(3,)]
    assert late.rows == [(18,)]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE x (y integer)",
        "SELECT 1; SELECT 2",
        "COPY (SELECT 1) TO '{folder}/orders.parquet' (USE_TMP_FILE false)",
        "COPY (SELECT 1) TO '{folder}/other.csv'",
        "INSTALL httpfs",
        "ATTACH '{folder}/other.db'",
        "SET memory_limit = '100GB'",
        "SET VARIABLE etalon_now = NULL",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_csv('{folder}/../secret.csv')",
        "SELECT * FROM 'https://example.com/x.parquet'",
        "DROP VIEW shop.orders",
        "PRAGMA version",
        "",
        "nonsense",
    ],
)
def test_whatever_is_no_plain_reading_of_the_files_is_refused(source, folder, text):
    (folder.parent / "secret.csv").write_text("secret\n1\n")
    before = _files(folder)

    with pytest.raises(EtalonError):
        open_source(source).query(text.replace("{folder}", str(folder)), LIMITS, now=LATER)

    assert _files(folder) == before


@pytest.mark.parametrize(
    "view",
    [
        "SELECT * FROM read_csv('{folder}/../secret.csv')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM 'https://example.com/x.parquet'",
        "SELECT 1; COPY (SELECT 1) TO '{folder}/new.csv'",
        "INSTALL httpfs",
    ],
)
def test_a_view_reads_its_own_folder_alone(source, folder, view):
    (folder.parent / "secret.csv").write_text("secret\n1\n")
    source.config = {**source.config, "views": {"orders": view}}
    before = _files(folder)

    with pytest.raises(SourceUnavailable, match="cannot offer `orders`"):
        open_source(source)

    assert _files(folder) == before


def test_the_hostile_texts_change_nothing_with_the_gate_off(source, folder, hostile_texts):
    before = _files(folder)
    warehouse = open_source(source)
    limits = Limits(1.5, rows=10_000, bytes=10_000_000)

    for text in hostile_texts:
        if text in DEAF:
            continue
        started = time.monotonic()
        with suppress(EtalonError):
            warehouse.query(text, limits, now=LATER)
        assert time.monotonic() - started < 4, text

    assert _files(folder) == before
    count = warehouse.query("SELECT count(*) FROM shop.orders", LIMITS, now=LATER)
    assert count.rows == [(18,)]


def test_a_query_that_hears_no_interrupt_ends_its_worker(source, folder):
    text = "select generate_series(1,1e8::int)"
    code = f"""
import django
django.setup()
from measurement.warehouses import base
from measurement.warehouses.duckdb import DuckDb
base.DEAF_SECONDS = 0.5
base.end_process_when_deaf()
DuckDb("shop", {source.config!r}).query({text!r}, base.Limits(0.5))
"""
    started = time.monotonic()

    ended = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)

    assert ended.returncode == 70
    assert time.monotonic() - started < 15


def test_a_query_over_its_time_is_stopped_and_the_next_one_runs(source):
    warehouse = open_source(source)
    started = time.monotonic()

    with pytest.raises(SourceTooSlow, match="longer than 0.3 seconds"):
        warehouse.query(SLOW, Limits(0.3), now=LATER)

    assert time.monotonic() - started < 2
    assert warehouse.query("SELECT 1", LIMITS).rows == [(1,)]


def test_an_answer_over_its_size_is_refused(source):
    warehouse = open_source(source)

    with pytest.raises(TooManyRows, match="more than 1,000 rows"):
        warehouse.query("SELECT * FROM range(20000)", Limits(5, rows=1000))
    with pytest.raises(TooManyRows):
        warehouse.query("SELECT repeat('x', 5000) FROM range(5000)", Limits(5, bytes=1_000_000))


def test_a_changed_file_opens_the_source_anew(source, folder):
    count = "SELECT count(*) FROM shop.orders"
    assert open_source(source).query(count, LIMITS, now=LATER).rows == [(18,)]

    company.write(folder, company.orders(10))
    os.utime(folder / "orders.parquet", ns=(1, 1))

    assert open_source(source).query(count, LIMITS, now=LATER).rows == [(19,)]


def test_the_same_source_keeps_its_connection(source):
    assert open_source(source) is open_source(source)


def test_a_changed_view_opens_the_source_anew(source):
    first = open_source(source)
    source.config["views"]["more"] = "SELECT 1 AS one"

    second = open_source(source)

    assert second is not first
    assert second.columns("shop.more") == {"one": "INTEGER"}


def test_a_missing_folder_and_a_missing_file_are_named(db, tmp_path):
    with pytest.raises(SourceUnavailable, match="folder of the source `gone` is missing"):
        open_source(company.make_source(tmp_path / "nowhere", key="gone"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceUnavailable, match=r"cannot offer `orders`.*orders\.parquet"):
        open_source(company.make_source(tmp_path / "empty", key="empty"))


def test_a_package_that_is_not_installed_is_named(db):
    source = company.make_source(Path("package:no_such_package/data"))
    with pytest.raises(SourceUnavailable, match="`no_such_package`, which is not installed"):
        open_source(source)


def test_a_failing_query_is_told_from_a_source_that_moved(source):
    warehouse = open_source(source)
    with pytest.raises(QueryFailed, match="could not work it out"):
        warehouse.query("SELECT CAST('x' AS integer) FROM shop.orders", LIMITS, now=LATER)
    with pytest.raises(SourceUnavailable, match="not as the definition expects"):
        warehouse.query("SELECT gone FROM shop.orders", LIMITS, now=LATER)


def test_numbers_are_stored_at_twelve_significant_digits():
    assert number(0.1 + 0.2) == Decimal("0.3")
    assert number(Decimal("1.005")) == Decimal("1.005")
    assert number(Decimal("41.3846153846153846")) == number(41.3846153846153846)
    assert number(Decimal("12345678901234.25")) == Decimal("12345678901234.25")
    assert number(7) == 7
    assert number(float("inf")) is None
    assert number(float("nan")) is None
    assert number(None) is None


def _files(folder: Path) -> dict:
    return {path.name: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()}
