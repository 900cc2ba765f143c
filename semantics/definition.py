"""What a definition may say: the typed specs of datasets, segments and metrics.

The vocabulary is MetricFlow's (entities, dimensions, time grain; metric types simple, ratio,
derived, cumulative and conversion), the model is ours. A spec is complete: whatever can move a
value is in it, and nothing else is. Specs name one another by key (`net_sales`); which version a
key stands for is said by a resolution, never by a spec.

Expressions and filters are SQL text in Etalon's expression language. They are stored as they
were re-rendered by `semantics.guard`; the text that a person typed never reaches an engine.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

KEY = r"^[a-z][a-z0-9_]{1,62}$"

Key = Annotated[str, Field(pattern=KEY)]
# Within one document names may be short: columns, entities, dimensions, names of inputs.
Name = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
# `dimension` of the metric's own dataset, or `entity__dimension` reached over one or more joins.
DimensionPath = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$", max_length=190)]
Expression = Annotated[str, Field(min_length=1, max_length=4000)]


class Grain(StrEnum):
    """A calendar period. Periods are half-open and cut in the dataset's time zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Weekday(StrEnum):
    MONDAY = "monday"
    SUNDAY = "sunday"
    SATURDAY = "saturday"


class Aggregation(StrEnum):
    """How the rows of a simple metric become one number (MetricFlow's names)."""

    SUM = "sum"
    SUM_BOOLEAN = "sum_boolean"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    PERCENTILE = "percentile"


class ColumnType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class EntityType(StrEnum):
    """`primary` and `unique` identify a row; `foreign` points at another dataset's."""

    PRIMARY = "primary"
    UNIQUE = "unique"
    FOREIGN = "foreign"


class Spec(BaseModel):
    """Base of all specs: unknown fields are refused, since one might have moved a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- datasets ------------------------------------------------------------------------------


class Column(Spec):
    name: Name
    type: ColumnType


class Entity(Spec):
    """A thing that rows are about; datasets that share an entity's name can be joined on it."""

    name: Name
    type: EntityType
    expression: Expression = Field(description="Usually the bare name of the identifying column.")


class CategoricalDimension(Spec):
    name: Name
    type: Literal["categorical"] = "categorical"
    expression: Expression
    null_label: str | None = Field(
        default=None, max_length=80, description="What a missing member is called, e.g. `Unknown`."
    )


class TimeDimension(Spec):
    """A day on which a row happened. The expression gives a local date, or a UTC timestamp
    that the compiler moves into the dataset's time zone before it cuts periods."""

    name: Name
    type: Literal["time"] = "time"
    expression: Expression
    is_utc_timestamp: bool = False


Dimension = Annotated[CategoricalDimension | TimeDimension, Field(discriminator="type")]


class Table(Spec):
    """A table or view of the source, read as it is."""

    kind: Literal["table"] = "table"
    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,2}$")]


class Query(Spec):
    """One SELECT over declared tables of the source."""

    kind: Literal["query"] = "query"
    sql: Annotated[str, Field(min_length=8, max_length=20_000)]
    tables: list[str] = Field(min_length=1, description="Every table that the query may read.")


class DatasetSpec(Spec):
    """A table or query with its entities, dimensions and time ("semantic model" in MetricFlow).

    It has no measures: a simple metric says its own aggregation and expression, so that the
    whole formula is in the metric.
    """

    type: Literal["dataset"] = "dataset"
    source: Key
    relation: Annotated[Table | Query, Field(discriminator="kind")]
    columns: list[Column] = Field(min_length=1)
    entities: list[Entity] = []
    dimensions: list[Dimension] = []
    time_dimension: Name | None = Field(
        default=None, description="The time dimension that dates a row. None for look-up datasets."
    )
    time_zone: str = "UTC"
    week_start: Weekday = Weekday.MONDAY


# --- segments ------------------------------------------------------------------------------


class SegmentSpec(Spec):
    """A named filter over the dimensions of one dataset and of what it joins to."""

    type: Literal["segment"] = "segment"
    dataset: Key
    filter: Expression


# --- metrics -------------------------------------------------------------------------------


class Window(Spec):
    """A trailing length of time, e.g. 28 days; or, as an offset, how far back to look."""

    count: int = Field(ge=1, le=1100)
    grain: Grain


class LateData(Spec):
    """How many closed days back a daily run computes again, since rows may still arrive."""

    recompute_days: int = Field(default=3, ge=0, le=400)


class MetricInput(Spec):
    """A metric used in another's formula, possibly filtered or looked at some time before."""

    metric: Key
    alias: Name | None = None
    filters: list[Expression] = []
    offset: Window | None = None

    @property
    def name(self) -> str:
        """The name by which the formula refers to this input."""
        return self.alias or self.metric


class MetricSpec(Spec):
    """What every type of metric says."""

    filters: list[Expression] = Field(
        default=[], description="Joined by AND; may use `entity__dimension`."
    )
    segments: list[Key] = Field(default=[], description="Segments whose filters apply as well.")
    grains: list[Grain] = Field(default=[Grain.DAY, Grain.WEEK, Grain.MONTH], min_length=1)
    dimensions: list[DimensionPath] = Field(
        default=[],
        description="Single dimensions whose values are stored; others are computed live.",
    )
    fill_nulls_with: int | None = Field(
        default=None,
        description="Value of a period without rows. None leaves the period without a value.",
    )
    late_data: LateData = LateData()


class SimpleSpec(MetricSpec):
    """One aggregation over a row-level expression of a dataset."""

    type: Literal["simple"] = "simple"
    dataset: Key
    aggregation: Aggregation
    expression: Expression = "1"
    percentile: float | None = Field(default=None, gt=0, lt=1)
    time_dimension: Name | None = Field(default=None, description="Overrides the dataset's.")


class RatioSpec(MetricSpec):
    """Numerator divided by denominator; a denominator of 0 gives no value."""

    type: Literal["ratio"] = "ratio"
    numerator: MetricInput
    denominator: MetricInput


class DerivedSpec(MetricSpec):
    """An arithmetic expression over the names of its inputs."""

    type: Literal["derived"] = "derived"
    expression: Expression
    inputs: list[MetricInput] = Field(min_length=1, max_length=20)


class CumulativeSpec(MetricSpec):
    """A metric added up over a trailing window, or since the start of a period."""

    type: Literal["cumulative"] = "cumulative"
    metric: Key
    window: Window | None = None
    grain_to_date: Grain | None = None


class ConstantProperty(Spec):
    """A property that base and conversion event must share, e.g. the campaign."""

    base: DimensionPath
    conversion: DimensionPath


class ConversionSpec(MetricSpec):
    """The share (or number) of base events followed by a conversion of the same entity."""

    type: Literal["conversion"] = "conversion"
    base: Key
    conversion: Key
    entity: Name
    window: Window
    calculation: Literal["conversion_rate", "conversions"] = "conversion_rate"
    constant_properties: list[ConstantProperty] = []


AnyMetric = SimpleSpec | RatioSpec | DerivedSpec | CumulativeSpec | ConversionSpec
AnySpec = AnyMetric | DatasetSpec | SegmentSpec

METRIC_TYPES = ("simple", "ratio", "derived", "cumulative", "conversion")

_adapter: TypeAdapter[AnySpec] = TypeAdapter(Annotated[AnySpec, Field(discriminator="type")])


def read_spec(document: dict) -> AnySpec:
    """Build a spec from its JSON document. Raises pydantic's ValidationError with all places.

    Callers that show problems to people use `semantics.validate.problems_of` instead.
    """
    return _adapter.validate_python(document)


def kind_of(spec: AnySpec) -> Literal["metric", "dataset", "segment"]:
    if isinstance(spec, DatasetSpec):
        return "dataset"
    return "segment" if isinstance(spec, SegmentSpec) else "metric"
