"""What each metric should be: one hand-written query a file, beside the compiler's.

The comments `-- path: expression` at the top of a file say how to group by a dimension of the
metric. The queries read the views of the replay and know nothing of definitions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import duckdb

FOLDER = Path(__file__).parent
_DIMENSION = re.compile(r"^-- ([a-z_]+): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Truth:
    """The truth query of one metric."""

    key: str
    text: str
    members: dict[str, str]

    @property
    def dimensions(self) -> tuple[str, ...]:
        return tuple(self.members)

    def values(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        grain: str,
        start: date,
        until: date,
        dimension: str | None = None,
    ) -> dict[tuple[date, str | None], object]:
        """Period and member -> value, over `[start, until)`; the total has no member."""
        member = self.members[dimension] if dimension else "NULL"
        parameters = {"grain": grain, "start": start, "until": until}
        rows = connection.execute(self.text.replace("{member}", member), parameters).fetchall()
        return {(period, member): value for period, member, value in rows}


@cache
def truth_of(key: str) -> Truth:
    text = (FOLDER / f"{key}.sql").read_text()
    return Truth(key, text, dict(_DIMENSION.findall(text)))
