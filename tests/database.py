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
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)",
            [list(KEPT)],
        ).fetchall()
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(
                sql.SQL(", ").join(sql.Identifier(table) for (table,) in tables)
            )
        )
