"""Values as readers get them: each point says version, resolution and run."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from catalog.models import Metric
from semantics.definition import Grain

NOW = "now"
REPORTED = "reported"
LINES = (NOW, REPORTED)


@dataclass(frozen=True)
class Point:
    """One value of one period, for the total or for one member of each dimension asked by."""

    period: date
    period_until: date
    label: str
    members: tuple[str | None, ...]
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    version: int
    resolution: str
    run: int | None
    known_from: datetime | None
    is_complete: bool


@dataclass(frozen=True)
class Mark:
    """The definition changed here, its own or that of something `below` it (by key and version): a
    vertical line on a chart, a note in an export."""

    on: date
    version: int
    previous: int
    treatment: str
    change_class: str
    headline: str
    below: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        if not self.below:
            return f"v{self.version}"
        (key, number), *others = self.below
        return f"{key} v{number} and {len(others)} more" if others else f"{key} v{number}"


@dataclass(frozen=True)
class Values:
    """What `read_values` answers.

    `restated` counts the points whose official value is not the one that was reported then.
    `second` is the older line while both are kept. `doubt` is the sentence that puts the values
    in doubt, if anything does; `note` says why there is nothing to see, or how far it is the
    official line.
    """

    metric: Metric
    grain: Grain
    group_by: tuple[str, ...]
    start: date | None
    until: date | None
    line: str
    version: int | None
    as_of: datetime | None
    points: list[Point]
    marks: list[Mark] = field(default_factory=list)
    restated: int = 0
    complete_until: date | None = None
    second: list[Point] = field(default_factory=list)
    doubt: str = ""
    note: str = ""
