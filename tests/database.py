"""The test database: made by the owner, used by `etalon_app`, emptied by the superuser."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from tests.servers import SUPERUSER_URL

ROOT = Path(__file__).resolve().parent.parent
ROLES = ROOT / "config" / "local" / "roles.sql"
# What migrations fill stays; everything else goes.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
# A few rows are deleted in a fraction of the time in which new files are made for their table.
EMPTY = """
DO $$
DECLARE
    one record;
    filled boolean;
BEGIN
    FOR one IN
        SELECT c.oid::regclass AS name, pg_relation_size(c.oid) > 262144 AS is_large
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
          AND pg_relation_size(c.oid) > 0 AND c.relname NOT IN ({kept})
    LOOP
        IF one.is_large THEN
            EXECUTE format('TRUNCATE %s CASCADE', one.name);
        ELSE
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', one.name) INTO filled;
            IF filled THEN
                EXECUTE format('DELETE FROM %s', one.name);
            END IF;
        END IF;
    END LOOP;
    FOR one IN
        SELECT format('%I.%I', schemaname, sequencename) AS name
        FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL
          AND sequencename NOT IN ({sequences})
    LOOP
        EXECUTE format('ALTER SEQUENCE %s RESTART', one.name);
    END LOOP;
END $$
"""


def superuser_url(database: str) -> str:
    return os.environ[SUPERUSER_URL].format(database=database)


def make(name: str) -> None:
    """Make a database with its roles and migrate it, in a process of its own, as the owner."""
    with psycopg.connect(superuser_url("postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            )
    with psycopg.connect(superuser_url(name), autocommit=True) as connection:
        connection.execute(ROLES.read_bytes())
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"],
        check=True,
        cwd=ROOT,
    )


def empty(name: str) -> None:
    """Remove all rows. Only a superuser can: insert-only tables refuse everybody else."""
    with psycopg.connect(superuser_url(name)) as connection:
        connection.execute("SET session_replication_role = replica")
        kept, sequences = (
            ", ".join(f"'{table}{end}'" for table in KEPT) for end in ("", "_id_seq")
        )
        connection.execute(EMPTY.format(kept=kept, sequences=sequences))
