"""What a metric says: its values, the SQL behind them, and what it is computed from."""

from datetime import date, timedelta

from drf_spectacular.utils import extend_schema

from api import parameters
from api.conditional import answer
from api.schemas.readings import DimensionsBody, LineageBody, SqlBody, ValuesBody
from api.schemas.shared import SLOW, UNPROCESSABLE, asks, reads
from api.views.base import EtalonView
from api.views.entries import find, find_version
from catalog.choices import Kind
from catalog.models import Dataset, Metric, Resolution
from catalog.selectors.entries import dependants_of, edges_among, specs_of, upstreams_of
from core import clock
from core.errors import Invalid, NotFound
from measurement.closures import calendar_of, closure_of
from measurement.selectors.values import check_request, known_grain
from measurement.services.live import read_any_values
from measurement.values import LINES, Mark, Point, Values
from semantics.definition import DatasetSpec, Grain
from semantics.dialects import Dialect
from semantics.problems import DefinitionRefused
from semantics.question import Measure, askable_dimensions

_RANGE = [
    asks("grain", f"One of {', '.join(Grain)}; the metric's own unless told.", enum=list(Grain)),
    asks("group_by", "One dimension; or two or three with commas, computed when asked for."),
    asks("from", "The first day: periods that begin on it or later.", date),
    asks("to", "The first day that is not read any more.", date),
    asks("version", "The values of this version alone, in place of the official line.", int),
]
DEFAULT_DAYS = 365


def _metric(key: str) -> Metric:
    metric = find(Kind.METRIC, key)
    return (
        Metric.objects.select_related(
            "current_resolution__version", "served_resolution__version", "current_version"
        )
        .defer("search")
        .get(pk=metric.pk)
    )


def _closure(resolution: Resolution) -> dict:
    return closure_of({pin["key"]: pin["definition"] for pin in resolution.pins})


def _resolution(metric: Metric, number: int | None) -> Resolution:
    """What a version stands on: its last resolution; the current one unless told."""
    if number is None:
        found = metric.current_resolution
    else:
        find_version(metric, number)
        found = metric.resolutions.filter(version__number=number).order_by("-number").first()
    if found is None:
        raise NotFound(f"{metric.name} has no published definition yet.", key=metric.key)
    return found


def _grain(request, metric: Metric, resolution: Resolution | None) -> Grain:
    """The grain asked for, else weeks where the metric has them, else its first."""
    if given := request.query_params.get("grain"):
        return known_grain(given)
    if resolution is None:
        return Grain.WEEK
    grains = _closure(resolution)[metric.key].grains
    return Grain.WEEK if Grain.WEEK in grains else grains[0]


def _number(request) -> int | None:
    return parameters.whole_number(request, "version", default=None, low=1, high=1_000_000)


class MetricValues(EtalonView):
    """The values of a metric. Every point says by which version and run it was computed."""

    @extend_schema(
        operation_id="get_metric_values",
        summary="Values of a metric",
        parameters=[
            *_RANGE,
            asks("as_of", "As they were known at this instant, or at the end of this day."),
            asks("line", "`now` as defined now, `reported` as reported then.", enum=list(LINES)),
        ],
        responses={**reads(ValuesBody), **UNPROCESSABLE, **SLOW},
    )
    def get(self, request, key: str):
        parameters.only(request, ["grain", "group_by", "from", "to", "version", "as_of", "line"])
        start, until = parameters.day(request, "from"), parameters.day(request, "to")
        line = request.query_params.get("line", "now")
        check_request(start, until, line)
        metric, number = _metric(key), _number(request)
        if number is not None:
            find_version(metric, number)
        values = read_any_values(
            metric,
            grain=_grain(request, metric, metric.served_resolution or metric.current_resolution),
            group_by=parameters.several(request, "group_by"),
            start=start,
            until=until,
            version=number,
            as_of=parameters.instant(request, "as_of"),
            line=line,
            actor=request.user,
        )
        return answer(request, lambda: _values(values))


def _values(values: Values) -> dict:
    return {
        "metric": values.metric.key,
        "grain": values.grain,
        "group_by": list(values.group_by),
        "from": values.start,
        "to": values.until,
        "version": values.version,
        "as_of": values.as_of,
        "line": values.line,
        "unit": _unit(values.metric),
        "complete_until": values.complete_until,
        "doubt": values.doubt,
        "note": values.note,
        "restated": values.restated,
        "restatement": _restatement(values),
        "marks": [_mark(mark) for mark in values.marks],
        "points": [_point(point) for point in values.points],
        "second": [_point(point) for point in values.second],
    }


def _unit(metric: Metric) -> dict | None:
    version = metric.current_version
    return version.words.get("unit") if version else None


def _restatement(values: Values) -> str:
    if not values.restated:
        return ""
    some = "1 value was" if values.restated == 1 else f"{values.restated} values were"
    return f"{some} restated since first reported. Ask with line=reported for what was said then."


def _point(point: Point) -> dict:
    return {
        "period": point.period,
        "period_until": point.period_until,
        "label": point.label,
        "members": list(point.members),
        "value": point.value,
        "numerator": point.numerator,
        "denominator": point.denominator,
        "version": point.version,
        "resolution": point.resolution,
        "run": point.run,
        "known_from": point.known_from,
        "is_complete": point.is_complete,
    }


def _mark(mark: Mark) -> dict:
    return {
        "on": mark.on,
        "name": mark.name,
        "version": mark.version,
        "previous": mark.previous,
        "treatment": mark.treatment,
        "change_class": mark.change_class,
        "headline": mark.headline,
    }


class MetricSql(EtalonView):
    """The SELECT that computes the metric, for the dialect of one's own warehouse."""

    @extend_schema(
        operation_id="get_metric_sql",
        summary="SQL of a metric",
        parameters=[asks("dialect", "Duckdb unless told.", enum=list(Dialect)), *_RANGE],
        responses={**reads(SqlBody), **UNPROCESSABLE},
    )
    def get(self, request, key: str):
        parameters.only(request, ["dialect", "grain", "group_by", "from", "to", "version"])
        dialect = Dialect(parameters.choice(request, "dialect", list(Dialect), Dialect.DUCKDB))
        start, until = parameters.day(request, "from"), parameters.day(request, "to")
        check_request(start, until, "now")
        metric = _metric(key)
        resolution = _resolution(metric, _number(request))
        grain, group_by = _grain(request, metric, resolution), _group_by(request, resolution)
        specs = _closure(resolution)
        calendar = calendar_of(metric.key, specs)
        until = until or clock.today(calendar.zone) + timedelta(days=1)
        start = calendar.ceil(start or until - timedelta(days=DEFAULT_DAYS), grain)
        if start >= until:
            raise _no_period(grain, start)
        sql = _compiled(metric.key, specs, grain, group_by, dialect, start, until)
        return answer(
            request,
            lambda: {
                "metric": metric.key,
                "version": resolution.version.number,
                "resolution": resolution.hash,
                "dialect": dialect,
                "grain": grain,
                "group_by": group_by,
                "from": start,
                "to": until,
                "sql": sql,
            },
        )


def _group_by(request, resolution: Resolution) -> list[str]:
    names = parameters.several(request, "group_by")
    metric = resolution.metric
    known = askable_dimensions(metric.key, _closure(resolution))
    if unknown := [name for name in names if name not in known]:
        raise Invalid(
            f"{metric.name} cannot be asked by `{unknown[0]}`. "
            f"It can be by {', '.join(known) or 'no dimension'}.",
            problems=[
                {"place": "group_by", "code": "unknown_dimension", "message": f"`{name}`"}
                for name in unknown
            ],
        )
    return names


def _no_period(grain: Grain, start: date) -> Invalid:
    message = f"No {grain} begins in this range. The next one begins on {start}."
    problem = {"place": "from", "code": "empty_range", "message": message}
    return Invalid(message, problems=[problem])


def _compiled(key, specs, grain, group_by, dialect, start: date, until: date) -> str:
    # Imports MetricFlow, which processes that nobody asks for SQL do without.
    from semantics.metricflow import compile_question

    try:
        question = compile_question(
            [Measure("value", key, specs)], grain=grain, group_by=group_by, dialect=dialect
        )
    except DefinitionRefused as error:
        problems = [problem.as_dict() for problem in error.problems]
        raise Invalid(problems[0]["message"], problems=problems) from error
    return question.sql(start, until)


class MetricLineage(EtalonView):
    """All that a metric is computed from, down to tables and columns, and all that stands on it."""

    @extend_schema(
        operation_id="get_metric_lineage",
        summary="Lineage of a metric",
        responses=reads(LineageBody),
    )
    def get(self, request, key: str):
        parameters.only(request, [])
        metric = find(Kind.METRIC, key)
        upstream, downstream = upstreams_of([metric.pk]), dependants_of([metric.pk])
        ids = [metric.pk, *(found.pk for found in [*upstream, *downstream])]
        body = {
            "key": metric.key,
            "upstream": [_node(found) for found in upstream],
            "downstream": [_node(found) for found in downstream],
            "edges": edges_among(ids),
            "tables": _tables([found.key for found in upstream if found.kind == Kind.DATASET]),
        }
        return answer(request, lambda: body)


def _node(found) -> dict:
    names = ("key", "name", "kind", "tier", "lifecycle", "domain", "distance", "owners")
    return {name: getattr(found, name) for name in names}


def _tables(keys: list[str]) -> list[dict]:
    """What the datasets read: their tables and columns in the source."""
    entries = Dataset.objects.filter(key__in=keys, current_version__isnull=False)
    hashes = dict(entries.values_list("key", "current_version__definition_id"))
    specs = specs_of(hashes.values())
    found = []
    for key in sorted(hashes):
        spec = specs[hashes[key]]
        if isinstance(spec, DatasetSpec):
            relation = spec.relation
            tables = [relation.name] if relation.kind == "table" else list(relation.tables)
            columns = [column.name for column in spec.columns]
            found.append(
                {"dataset": key, "source": spec.source, "tables": tables, "columns": columns}
            )
    return found


class MetricDimensions(EtalonView):
    """What the metric can be asked by: stored dimensions at once, the others by a live question."""

    @extend_schema(
        operation_id="list_metric_dimensions",
        summary="Dimensions of a metric",
        parameters=[asks("version", "As this version can be asked.", int)],
        responses=reads(DimensionsBody),
    )
    def get(self, request, key: str):
        parameters.only(request, ["version"])
        metric = _metric(key)
        resolution = _resolution(metric, _number(request))
        specs = _closure(resolution)
        stored = specs[metric.key].dimensions
        names = askable_dimensions(metric.key, specs)
        body = {
            "metric": metric.key,
            "version": resolution.version.number,
            "grains": list(specs[metric.key].grains),
            "dimensions": [{"name": name, "is_stored": name in stored} for name in names],
        }
        return answer(request, lambda: body)
