"""PostgreSQL as a source, in a database of its own, read by a role that holds SELECT on one table.

The hostile texts run with the gate off; what they could have touched is compared afterwards.
"""

import time
from contextlib import suppress

import psycopg
import pytest

from core.errors import EtalonError, QueryFailed, SourceTooSlow, SourceUnavailable, TooManyRows
from measurement.models import Source
from measurement.warehouses import close_sources, open_source
from measurement.warehouses.base import Limits
from tests.database import superuser_url
from tests.measurement.warehouse import DATABASE, ROLE, URL_ENV

LIMITS = Limits(5)


@pytest.fixture
def source(db, warehouse_url, monkeypatch):
    monkeypatch.setenv(URL_ENV, warehouse_url)
    yield Source.objects.create(
        key="wh",
        name="Warehouse",
        kind="postgresql",
        config={"url_env": URL_ENV},
        first_day="2026-01-01",
    )
    close_sources()


def test_rows_come_with_their_names(source):
    answer = open_source(source).query("SELECT x, y FROM f ORDER BY x LIMIT 2", LIMITS)

    assert answer.columns == ("x", "y")
    assert answer.rows == [(1, "row 1"), (2, "row 2")]


def test_many_rows_come_in_batches(source):
    answer = open_source(source).query("SELECT a.x FROM f a, f b LIMIT 12345", LIMITS)
    assert len(answer.rows) == 12345


def test_the_hostile_texts_change_nothing_with_the_gate_off(source, hostile_texts):
    before = _state()
    warehouse = open_source(source)
    limits = Limits(1, rows=10_000, bytes=10_000_000)

    for text in hostile_texts:
        started = time.monotonic()
        with suppress(EtalonError):
            warehouse.query(text, limits)
        assert time.monotonic() - started < 4, text

    assert _state() == before
    assert warehouse.query("SELECT count(*) FROM f", LIMITS).rows == [(500,)]


def test_a_query_cannot_lift_its_own_time_limit(source):
    text = "SELECT set_config('statement_timeout', '0', false), pg_sleep(20)"
    started = time.monotonic()

    with pytest.raises(SourceTooSlow):
        open_source(source).query(text, Limits(0.5))

    assert time.monotonic() - started < 3
    assert _running() == 0


def test_nothing_that_a_query_sets_outlives_it(source):
    warehouse = open_source(source)
    warehouse.query("SELECT set_config('search_path', 'pg_catalog', false)", LIMITS)

    assert warehouse.query("SELECT count(*) FROM f", LIMITS).rows == [(500,)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; DROP TABLE f",
        "SELECT 1; COMMIT; DELETE FROM f",
        "WITH d AS (DELETE FROM f RETURNING x) SELECT * FROM d",
        "SET TRANSACTION READ WRITE",
        "DO $$ BEGIN PERFORM 1; END $$",
        "SELECT evil()",
        "SELECT * FROM secret",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE TEMP TABLE t (x integer)",
        "VACUUM f",
    ],
)
def test_whatever_is_no_reading_of_its_table_is_refused(source, text):
    before = _state()
    with pytest.raises(QueryFailed):
        open_source(source).query(text, LIMITS)
    assert _state() == before


def test_an_answer_over_its_size_is_refused(source):
    with pytest.raises(TooManyRows):
        open_source(source).query("SELECT a.x FROM f a, f b", Limits(5, rows=100))


def test_a_missing_column_says_that_the_source_moved(source):
    with pytest.raises(SourceUnavailable, match='column "gone" does not exist'):
        open_source(source).query("SELECT gone FROM f", LIMITS)
    assert open_source(source).columns("public.f") == {"x": "integer", "y": "text"}


def test_an_address_that_is_not_set_is_named(db, monkeypatch):
    monkeypatch.delenv(URL_ENV, raising=False)
    source = Source(key="wh", kind="postgresql", config={"url_env": URL_ENV}, pk=1)
    with pytest.raises(SourceUnavailable, match=URL_ENV):
        open_source(source)


def test_a_server_that_is_away_is_named(db, monkeypatch):
    monkeypatch.setenv(URL_ENV, "postgresql://nobody@127.0.0.1:1/nothing")
    source = Source(key="wh", kind="postgresql", config={"url_env": URL_ENV}, pk=1)
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        open_source(source).query("SELECT 1", LIMITS)
    close_sources()


def _state() -> list:
    with psycopg.connect(superuser_url(DATABASE)) as owner:
        return [
            owner.execute(
                "SELECT count(*), sum(x), md5(string_agg(y, '' ORDER BY x)) FROM f"
            ).fetchone(),
            owner.execute("SELECT last_value, is_called FROM sq").fetchone(),
            owner.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 2200").fetchone(),
            owner.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone(),
        ]


def _running() -> int:
    with psycopg.connect(superuser_url("postgres")) as admin:
        query = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND state = 'active'"
        return admin.execute(query, [ROLE]).fetchone()[0]


def test_the_tables_that_can_be_read_are_named(source):
    assert "public.f" in open_source(source).tables()
