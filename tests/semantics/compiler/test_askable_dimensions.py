"""What a metric can be asked by is known without MetricFlow, and is what MetricFlow accepts."""

import random

import pytest
from metricflow.engine.metricflow_engine import MetricFlowEngine
from metricflow_semantic_interfaces.implementations.semantic_manifest import (
    PydanticSemanticManifest,
)
from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
    PydanticSemanticManifestTransformer,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from semantics.definition import DatasetSpec, Grain, SimpleSpec
from semantics.guard import Dialect
from semantics.metricflow import compile_question
from semantics.metricflow.manifest import CompileOnly
from semantics.problems import DefinitionRefused
from semantics.question import Measure, askable_dimensions, filterable_dimensions
from tests.semantics.compiler.small_shop import (
    conversion,
    cumulative,
    dataset,
    day,
    derived,
    entity,
    member,
    ratio,
    shop,
    simple,
)


def paths_of_metricflow(specs, metric):
    """The categorical paths by which MetricFlow lets a metric be grouped.

    The manifest says the definitions as they are, not as the compiler rewrites them.
    """
    document = {
        "project_configuration": {
            "time_spines": [
                {
                    "node_relation": {"alias": "spine", "schema_name": "shop"},
                    "primary_column": {"name": "day", "time_granularity": "day"},
                }
            ]
        },
        "semantic_models": [
            _model(key, spec) for key, spec in specs.items() if isinstance(spec, DatasetSpec)
        ],
        "metrics": [_metric(key, spec) for key, spec in specs.items() if hasattr(spec, "grains")],
    }
    manifest = PydanticSemanticManifestTransformer.transform(
        PydanticSemanticManifest.parse_obj(document)
    )
    engine = MetricFlowEngine(SemanticManifestLookup(manifest), CompileOnly(Dialect.DUCKDB))
    found = engine.list_group_bys([metric])
    return {each.dunder_name for each in found if "CATEGORICAL" in str(getattr(each, "type", ""))}


def _model(key, spec):
    dated = [
        {"name": each.name, "type": "time", "type_params": {"time_granularity": "day"}}
        for each in spec.dimensions
        if each.type == "time"
    ]
    members = [
        {"name": each.name, "type": "categorical"}
        for each in spec.dimensions
        if each.type == "categorical"
    ]
    model = {
        "name": key,
        "node_relation": {"alias": key, "schema_name": "shop"},
        "entities": [{"name": each.name, "type": each.type.value} for each in spec.entities],
        "dimensions": [*dated, *members],
    }
    if not any(each.type == "primary" for each in spec.entities):
        model["primary_entity"] = f"row_of_{key}"
    if spec.time_dimension:
        model["defaults"] = {"agg_time_dimension": spec.time_dimension}
    return model


def _metric(key, spec):
    more = {}
    if isinstance(spec, SimpleSpec):
        more = {
            "metric_aggregation_params": {"semantic_model": spec.dataset, "agg": "count"},
            "expr": "1",
        }
    elif spec.type == "ratio":
        more = {
            "numerator": {"name": spec.numerator.metric},
            "denominator": {"name": spec.denominator.metric},
        }
    elif spec.type == "derived":
        more = {"expr": "1", "metrics": [{"name": each.metric} for each in spec.inputs]}
    elif spec.type == "cumulative":
        more = {"cumulative_type_params": {"metric": {"name": spec.metric}}}
    elif spec.type == "conversion":
        more = {
            "conversion_type_params": {
                "entity": spec.entity,
                "base_metric": {"name": spec.base},
                "conversion_metric": {"name": spec.conversion},
            }
        }
    return {"name": key, "type": spec.type, "type_params": more}


def as_metricflow_says(specs, metric):
    """Our paths in MetricFlow's words: there, own dimensions are called over an own entity."""
    paths = set()
    owner = rows_of(specs, metric)
    for path in askable_dimensions(metric, specs):
        spec = specs[owner] if owner else None
        if spec is None or path not in {each.name for each in spec.dimensions}:
            paths.add(path)
            continue
        own = [each.name for each in spec.entities if each.type != "foreign"]
        if not any(each.type == "primary" for each in spec.entities):
            own.append(f"row_of_{owner}")
        paths |= {f"{name}__{path}" for name in own}
    return paths


def rows_of(specs, metric):
    """The dataset whose rows are counted, or None when there are several."""
    spec = specs[metric]
    if isinstance(spec, SimpleSpec):
        return spec.dataset
    inputs = {
        "ratio": lambda: [spec.numerator.metric, spec.denominator.metric],
        "derived": lambda: [each.metric for each in spec.inputs],
        "cumulative": lambda: [spec.metric],
        "conversion": lambda: [spec.base],
    }[spec.type]()
    owners = {rows_of(specs, name) for name in inputs}
    return owners.pop() if len(owners) == 1 else None


WITHOUT_ODD_NAMES = {
    key: spec
    for key, spec in shop(
        abv=ratio("sales", "baskets"),
        mixed=ratio("visit_count", "baskets"),
        formula=derived("visit_count", "visit_count", "mailed", "sales"),
        ever=cumulative("sales"),
        converted=conversion("mailed", "redeemed", "customer", 7),
    ).items()
    if key != "odd_names"
}


@pytest.mark.parametrize(
    "metric", [key for key, spec in WITHOUT_ODD_NAMES.items() if hasattr(spec, "grains")]
)
def test_metrics_of_the_shop_are_asked_by_what_metricflow_accepts(metric):
    ours = as_metricflow_says(WITHOUT_ODD_NAMES, metric)

    assert ours == paths_of_metricflow(WITHOUT_ODD_NAMES, metric)


def some_model(chance):
    """Datasets that join one another in every way, and metrics of all types over them."""
    entities = ["basket", "person", "product", "maker", "store"]
    specs = {}
    for number in range(chance.randint(2, 6)):
        key = f"table_{number}"
        taken = chance.sample(entities, chance.randint(1, 3))
        kinds = ["primary", *chance.choices(["foreign", "foreign", "unique"], k=2)]
        if chance.random() < 0.3:
            kinds[0] = "foreign"
        # Names are told apart by dataset, but for one that makes some paths ambiguous.
        named = [f"{key}_size", *(["colour"] if chance.random() < 0.3 else [])]
        specs[key] = dataset(
            key,
            "id:integer day:date",
            entities=[entity(name, kind, "id") for name, kind in zip(taken, kinds, strict=False)],
            dimensions=[day("on_day"), *(member(name, "id") for name in named)],
            time_dimension="on_day",
        )
    tables = list(specs)
    for number, table in enumerate(tables):
        specs[f"metric_{number}"] = simple(table, "count")
    first, second = chance.choice(tables)[-1], chance.choice(tables)[-1]
    specs["metric_ratio"] = ratio(f"metric_{first}", f"metric_{second}")
    specs["metric_ever"] = cumulative(f"metric_{first}")
    specs["metric_formula"] = derived("metric_ever", "metric_ever", "metric_ratio")
    return specs


@pytest.mark.parametrize("seed", range(20))
def test_any_model_is_asked_by_what_metricflow_accepts(seed):
    specs = some_model(random.Random(seed))  # noqa: S311 (it makes models, not secrets)
    for metric in [key for key in specs if key.startswith("metric_")]:
        accepted = paths_of_metricflow(specs, metric)
        ours = as_metricflow_says(specs, metric)

        # A dataset's own dimension keeps its bare name when another dataset has a like one.
        ambiguous = {path for path in ours - accepted if path.endswith("__colour")}
        assert ours - ambiguous == accepted, metric


@pytest.mark.parametrize("seed", range(6))
def test_what_is_askable_compiles_and_nothing_else(seed):
    specs = some_model(random.Random(seed))  # noqa: S311 (it makes models, not secrets)
    everything = {
        path
        for key in specs
        if key.startswith("metric_")
        for path in askable_dimensions(key, specs)
    }
    for metric in ("metric_0", "metric_formula"):
        askable = askable_dimensions(metric, specs)
        for path in everything:
            question = [Measure("v", metric, specs)]
            if path in askable:
                compile_question(question, grain=Grain.DAY, group_by=[path], dialect=Dialect.DUCKDB)
            elif "__" not in path:
                with pytest.raises(DefinitionRefused):
                    compile_question(
                        question, grain=Grain.DAY, group_by=[path], dialect=Dialect.DUCKDB
                    )


def test_days_can_be_filtered_by_and_not_grouped_by():
    specs = shop()

    assert "sold_on" in filterable_dimensions("sales", specs)
    assert "customer__joined_on" in filterable_dimensions("sales", specs)
    assert not [path for path in askable_dimensions("sales", specs) if path.endswith("_on")]


def test_a_metric_without_joins_is_asked_by_its_own():
    assert askable_dimensions("event_visits", shop()) == ("kind",)


def test_datasets_of_another_source_are_not_joined():
    customers = shop()["customers"].model_copy(update={"source": "elsewhere"})

    assert "customer__city" not in askable_dimensions("sales", shop(customers=customers))
