"""The figures as a table in the terminal and as a page of the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
import psutil
import psycopg

from tests import database
from tests.bench.figures import Figure

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reference" / "benchmarks.md"
HEADERS = ("What", "Etalon", "Beside it", "Ratio", "At most", "Verdict")
PACKAGES = ("Django", "psycopg", "metricflow", "sqlglot", "celery", "gunicorn")


def table(figures: Sequence[Figure]) -> str:
    """Lines of the table in Markdown, padded, so that a terminal shows them well too."""
    rows = [HEADERS, *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def write(figures: Sequence[Figure], seconds: float, began: float) -> None:
    """`began` is the load of the machine before anything was measured."""
    PAGE.write_text(f"""# Benchmarks

What Etalon costs, beside what it cannot cost less than. `make bench` measures it in about ten
minutes, writes this page, and fails when a limit is passed.

{table(figures)}

Measured on {datetime.now(UTC):%-d %B %Y} with {os.cpu_count()} cores and \
{psutil.virtual_memory().total / 1024**3:.0f} GB in {seconds / 60:.0f} minutes; the load was \
{began:.1f} when it began and {os.getloadavg()[1]:.1f} when it ended.
{", ".join(_versions())}.

## How to read it

Look at the ratio. Seconds are those of one machine on one day; the baseline stands in the same run,
and the two were measured by turns, so that whatever slowed one slowed the other. Of each pair the
first does not count: it warms both up. Times are medians unless a line says p95. *At most* is the
limit, with what may be added once where a run has costs that do not grow with its rows; a line
without a limit is there to be watched.

## What is measured

**From row to readable value** is all that happens between planning a run and reading its values:
counting the source, windows under leases, staging, the switch, the read. All values are removed
before each turn, so that every row is written anew. The bare query is a hand-written one over the
same views in an open connection of DuckDB, and its rows are copied into a table of PostgreSQL. The
run computes the total beside the values by dimension; the bare query does not. The year of the
[example company](../../examples/README.md) is 1,469,307 receipt lines and 20,940,529 promotion rows
in Parquet files.

**Preview of old and new** compiles a definition that was never compiled before, computes both sides
over the year and compares them. The worker is warm: compiler and engine are imported. The two bare
queries only compute.

**Values over HTTP** is a request to a running web server, with a token, in a connection that is
kept; beside it is the `SELECT` of the same rows. It has no limit: the answer says of every point
which version and run computed it, and what is restated, checked and doubted besides. The time by
day is that of a request at all; by department it is 7,016 points in 2.2 MB.

**Memory** is what the system holds in RAM for a process, with what it shares. A web process at rest
has answered `/healthz` and nothing else; compiler, engine and statistics are imported where they
are used. The worker is one child that computes a run in windows of 12,000 rows.

**A catalog of 10,000 metrics** is published by one change request over 10,000 items, through the
services that pages and API use: opened, submitted, approved, published. No two items have the same
filters, name or formula; every fifth is a ratio and every fifth is derived. A request over 1,000
stands before and after it, so that what grows faster than the catalog shows. Pages and answers are
asked of two web servers by turns, one on this catalog and one on a catalog of 20.

**From key to query** is the definition with all that it stands on, and its SQL; whatever is
remembered of other questions is forgotten first.
""")


def _versions() -> list[str]:
    with psycopg.connect(database.superuser_url("postgres")) as connection:
        server = connection.info.server_version // 10_000
    found = [f"Python {platform.python_version()}", f"PostgreSQL {server}"]
    found.append(f"DuckDB {duckdb.__version__}")
    return found + [f"{name} {version(name)}" for name in PACKAGES]
