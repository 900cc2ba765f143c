"""The one file that knows MetricFlow: a star of relations and its figures become one SELECT.

MetricFlow plans the joins, applies the filters and aggregates. It never sees a text of a person
but filters that have passed the guard; relations, columns and names are the compiler's own, so
that no spelling of a definition can break the SQL. Its API is unstable and pinned exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, cast

from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlClient, SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
from metricflow_semantic_interfaces.implementations.semantic_manifest import (
    PydanticSemanticManifest,
)
from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
    PydanticSemanticManifestTransformer,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from semantics.definition import Aggregation
from semantics.guard import Dialect

_ENGINES = {
    Dialect.DUCKDB: (SqlEngine.DUCKDB, DuckDbSqlPlanRenderer),
    Dialect.POSTGRESQL: (SqlEngine.POSTGRES, PostgresSQLSqlPlanRenderer),
}
# MetricFlow insists on `schema.table`, and relations here are names of a WITH. No text of a
# person holds this letter: the guard refuses it.
_SCHEMA = "\x01"
# The entity of the rows themselves, by which their own dimensions are called.
OWN = "own"
# Rows must have a time. Periods are cut before, so nobody asks by this one.
_TIME = "dated"


@dataclass(frozen=True)
class Model:
    """One relation with the entities that join it and the dimensions it says.

    Rows have a column that dates them, and what they join to has an entity that identifies it.
    """

    relation: str
    foreign: tuple[str, ...]
    dimensions: tuple[str, ...]
    primary: str = ""
    dated: str = ""


@dataclass(frozen=True)
class Figure:
    """One aggregation over a column of the rows, with filters."""

    name: str
    aggregation: Aggregation
    column: str
    conditions: tuple[str, ...]
    percentile: float | None = None


class CompileOnly:
    """The SQL client that MetricFlow asks for. It knows the dialect and refuses to run anything."""

    def __init__(self, dialect: Dialect):
        self.sql_engine_type, renderer = _ENGINES[dialect]
        self.sql_plan_renderer = renderer()

    def query(self, *args: object, **kwargs: object) -> None:
        raise RuntimeError("MetricFlow compiles here; it does not execute.")

    execute = dry_run = query

    def close(self) -> None:
        pass

    def render_bind_parameter_key(self, key: str) -> str:
        return f"${key}"


def select(
    rows: Model,
    looked_up: Sequence[Model],
    figures: Sequence[Figure],
    group_by: Sequence[str],
    dialect: Dialect,
) -> str:
    """The SELECT that gives `figures` of `rows`, one row per combination of `group_by`."""
    document = {
        "project_configuration": {
            "time_spines": [
                {
                    "node_relation": _relation("never_read"),
                    "primary_column": {"name": "day", "time_granularity": "day"},
                }
            ]
        },
        "semantic_models": [_rows(rows), *map(_look_up, looked_up)],
        "metrics": [_metric(figure, rows.relation) for figure in figures],
    }
    manifest = PydanticSemanticManifestTransformer.transform(
        PydanticSemanticManifest.parse_obj(document)
    )
    names = [figure.name for figure in figures]
    # MetricFlow leaves its timers in the context of whoever calls it, 42 of them a question, for
    # as long as the process lives; each line of a log looks through all. This context ends here.
    sql = copy_context().run(_explained, manifest, names, list(group_by), dialect)
    return sql.replace(f"{_SCHEMA}.", "")


def _explained(
    manifest: PydanticSemanticManifest, names: list[str], group_by: list[str], dialect: Dialect
) -> str:
    client = cast(SqlClient, CompileOnly(dialect))
    engine = MetricFlowEngine(SemanticManifestLookup(manifest), client)
    request = MetricFlowQueryRequest.create(metric_names=names, group_by_names=group_by)
    return engine.explain(request).sql_statement.without_descriptions.sql


def called_in_filters(path: str) -> str:
    """How MetricFlow's filters call a dimension: joins before the last stand apart."""
    *before, entity, name = path.split("__")
    way = f", entity_path={before!r}" if before else ""
    return f"{{{{ Dimension('{entity}__{name}'{way}) }}}}"


def _rows(model: Model) -> dict[str, Any]:
    day = {
        "name": _TIME,
        "expr": model.dated,
        "type": "time",
        "type_params": {"time_granularity": "day"},
    }
    plain = _look_up(model)
    return {
        **plain,
        "primary_entity": OWN,
        "defaults": {"agg_time_dimension": _TIME},
        "dimensions": [*plain["dimensions"], day],
    }


def _look_up(model: Model) -> dict[str, Any]:
    entities = [{"name": name, "type": "foreign"} for name in model.foreign]
    if model.primary:
        entities.append({"name": model.primary, "type": "primary"})
    return {
        "name": model.relation,
        "node_relation": _relation(model.relation),
        "entities": entities,
        "dimensions": [{"name": name, "type": "categorical"} for name in model.dimensions],
    }


def _relation(name: str) -> dict[str, str]:
    return {"alias": name, "schema_name": _SCHEMA, "relation_name": f"{_SCHEMA}.{name}"}


def _metric(figure: Figure, rows: str) -> dict[str, Any]:
    aggregated: dict[str, Any] = {"semantic_model": rows, "agg": figure.aggregation.value}
    if figure.percentile is not None:
        aggregated["agg_params"] = {
            "percentile": figure.percentile,
            "use_discrete_percentile": False,
            "use_approximate_percentile": False,
        }
    return {
        "name": figure.name,
        "type": "simple",
        "type_params": {"metric_aggregation_params": aggregated, "expr": figure.column},
        "filter": {"where_filters": [{"where_sql_template": each} for each in figure.conditions]},
    }
