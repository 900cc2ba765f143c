"""What a source is read by: its datasets, with what they read and how their checks stand."""

from dataclasses import dataclass

from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform

from catalog.choices import Lifecycle
from catalog.models import Dataset
from measurement.models import Source
from measurement.selectors.health import CheckState, checks_of_datasets


@dataclass(frozen=True)
class Reader:
    """One dataset of a source. `reads` is a table of it, or several where it is a query."""

    dataset: Dataset
    reads: list[str]
    checks: list[CheckState]


def _in_force():
    rows = Dataset.objects.exclude(lifecycle=Lifecycle.RETIRED)
    return rows.annotate(source=KeyTextTransform("source", "current_version__definition__spec"))


def readers_by_source() -> dict[str, int]:
    """How many datasets in force read each source, by its key."""
    counted = _in_force().order_by().values_list("source").annotate(Count("pk"))
    return {key: count for key, count in counted if key}


def readers_of(source: Source) -> list[Reader]:
    """The datasets in force that read a source, by name."""
    rows = (
        _in_force()
        .filter(source=source.key)
        .select_related("domain", "current_version__definition")
        .order_by("name")
    )
    datasets = list(rows)
    checks: dict[str, list[CheckState]] = {}
    for state in checks_of_datasets([dataset.key for dataset in datasets]):
        checks.setdefault(state.check.dataset.key, []).append(state)
    return [Reader(dataset, _reads(dataset), checks.get(dataset.key, [])) for dataset in datasets]


def _reads(dataset: Dataset) -> list[str]:
    version = dataset.current_version
    relation = version.definition.spec["relation"] if version else {}
    return relation.get("tables") or [relation["name"]] if relation else []
