"""A small PostgreSQL warehouse in a database of its own, and a role that may read one table of it
and the shop's orders."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.database import superuser_url
from tests.measurement.company import Order

# Processes that run tests side by side share one server, and get a warehouse each.
_MINE = os.environ.get("PYTEST_XDIST_WORKER", "main")
DATABASE, ROLE = f"etalon_test_source_{_MINE}", f"etalon_test_reader_{_MINE}"
URL_ENV = "ETALON_TEST_SOURCE_URL"
SETUP = """
CREATE TABLE f (x integer, y text);
INSERT INTO f SELECT n, 'row ' || n FROM generate_series(1, 500) n;
CREATE TABLE secret (word text);
INSERT INTO secret VALUES ('canary');
CREATE SEQUENCE sq;
CREATE FUNCTION evil() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    AS $$ BEGIN DELETE FROM f; RETURN 1; END $$;
REVOKE EXECUTE ON FUNCTION evil() FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT ON f TO {role};
CREATE SCHEMA shop;
CREATE TABLE shop.orders (number integer, day date, store text, customer integer,
    amount numeric(12, 2), arrived date);
GRANT USAGE ON SCHEMA shop TO {role};
GRANT SELECT ON shop.orders TO {role};
"""


@contextmanager
def warehouse() -> Iterator[str]:
    """Make the database; the address that the role reads it by. It is dropped in the end."""
    with psycopg.connect(superuser_url("postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        admin.execute(f"DROP ROLE IF EXISTS {ROLE}")
        admin.execute(f"CREATE ROLE {ROLE} LOGIN")
        admin.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        admin.execute(f"REVOKE TEMPORARY ON DATABASE {DATABASE} FROM PUBLIC")
    with psycopg.connect(superuser_url(DATABASE), autocommit=True) as owner:
        owner.execute(SETUP.replace("{role}", ROLE))
    parts = urlsplit(superuser_url(DATABASE))
    place = parts.netloc.rpartition("@")[2]
    yield urlunsplit(parts._replace(netloc=f"{ROLE}@{place}"))
    with psycopg.connect(superuser_url("postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        admin.execute(f"DROP ROLE {ROLE}")


def fill(rows: list[Order]) -> None:
    with (
        psycopg.connect(superuser_url(DATABASE)) as owner,
        owner.cursor().copy("COPY shop.orders FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row((row.number, row.day, row.store, row.customer, row.amount, row.arrived))
