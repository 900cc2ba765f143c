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


def write(figures: Sequence[Figure], seconds: float) -> None:
    PAGE.write_text(f"""# Benchmarks

Measured by `make bench`, which writes this page. Each figure stands beside a baseline that was
measured in the same run and by turns with it: machines differ, ratios much less. Times are medians
unless a line says otherwise. `make bench` fails when a limit is passed.

{table(figures)}

Measured on {datetime.now(UTC):%-d %B %Y} with {os.cpu_count()} cores and \
{psutil.virtual_memory().total / 1024**3:.0f} GB in {seconds / 60:.0f} minutes; the load when it \
ended was {os.getloadavg()[1]:.1f}. {", ".join(_versions())}.

- The year of the example company is 1,469,307 receipt lines and 20,940,529 promotion rows in
  Parquet files. The bare query is a hand-written one over the same views in an open connection;
  its rows are copied into a table of PostgreSQL.
- *From row to readable value* is everything that happens between planning a run and reading its
  values: counting the source, windows under leases, staging, the switch, the read. The run
  computes the total beside the values by dimension, and the bare query does not.
- A preview compiles a definition that was never compiled before, computes both sides and compares
  them. The worker is warm: compiler and engine are imported.
- The catalog of 10,000 metrics is published by one change request over 10,000 items, with
  different filters, names and formulas; every fifth is a ratio and every fifth is derived.
""")


def _versions() -> list[str]:
    with psycopg.connect(database.superuser_url("postgres")) as connection:
        server = connection.info.server_version // 10_000
    found = [f"Python {platform.python_version()}", f"PostgreSQL {server}"]
    found.append(f"DuckDB {duckdb.__version__}")
    return found + [f"{name} {version(name)}" for name in PACKAGES]
