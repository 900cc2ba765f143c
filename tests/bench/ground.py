"""What the measures stand on: servers and databases of their own, and a fixed clock."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from psycopg import sql

from config.local.embedded import Embedded
from tests import database
from tests.servers import SUPERUSER_URL

# The last evening of the replayed year, when all of its rows are there.
NOW = "2026-12-28T04:00:00+00:00"
WEEKS = 469
ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL")
SMALL, LARGE, SHOP = "bench_small", "bench_large", "bench_shop"
# Two of the same size, filled before and after the large one: neighbours disturb all three.
SOME, SOME_MORE = "bench_some", "bench_some_more"


@contextmanager
def servers() -> Iterator[None]:
    """PostgreSQL and Valkey with empty databases, and Django set up for the first."""
    home = Path(tempfile.mkdtemp(prefix="etalon-bench-"))
    # The server's system user must be able to enter the folder.
    home.chmod(0o711)
    embedded = Embedded(home, {})
    try:
        embedded.start()
        os.environ.update(embedded.environment())
        os.environ[SUPERUSER_URL] = embedded.postgres.url("postgres", "{database}")
        os.environ.update(
            SECRET_KEY="for-the-benchmarks-only-and-long-enough-to-pass-the-checks",
            HTTPS="0",
            DEBUG="0",
            STATIC_FROM_SOURCE="1",
            LOG_LEVEL="ERROR",
            ETALON_NOW=NOW,
            DJANGO_SETTINGS_MODULE="config.settings",
        )
        os.environ.update(addresses(SMALL))
        database.make(SMALL)
        _copy(SMALL, SOME, SOME_MORE, LARGE, SHOP)
        django.setup()
        yield
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)


def _copy(name: str, *copies: str) -> None:
    """Make more databases like one that is migrated; nobody may be connected to it."""
    with psycopg.connect(database.superuser_url("postgres"), autocommit=True) as connection:
        for copy in copies:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(copy), sql.Identifier(name)
                )
            )


def addresses(name: str) -> dict[str, str]:
    """The environment of a process that works on this database."""
    return {
        variable: urlunsplit(urlsplit(os.environ[variable])._replace(path=f"/{name}"))
        for variable in ADDRESSES
    }


def work_on(name: str) -> None:
    """Let this process's own queries go to another of the databases."""
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    os.environ.update(addresses(name))
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name
