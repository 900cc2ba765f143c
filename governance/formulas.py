"""What a typed formula makes of a draft: the item's own definition, and new metrics beside it.

Read-only: the editor shows it while somebody types, and `governance.services.formulas` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.choices import Kind, Lifecycle, Tier
from catalog.models import Entry
from catalog.selectors.entries import specs_in_force
from catalog.stewardship import Stewardship, stewardship_of
from core.errors import Invalid
from governance.content import Content, Item, ProposedWords
from semantics.card import Unit
from semantics.definition import (
    Aggregation,
    AnySpec,
    DatasetSpec,
    MetricSpec,
    SimpleSpec,
    read_spec,
)
from semantics.formula import Split, dataset_of_formula, split_formula
from semantics.lineage import closure, references
from semantics.phrases import in_words
from semantics.problems import DefinitionRefused, Level, Problem
from semantics.validate import problems_of

# What a metric says beside its formula, in fields of its own: a typed formula leaves it as it is.
_BESIDE = ("filters", "segments", "grains", "dimensions", "fill_nulls_with", "late_data")


@dataclass(frozen=True)
class TypedFormula:
    """A formula that was taken apart, and the content in which it stands.

    `new` are the items that come into the request with it, `dropped` the keys of those that an
    earlier formula had brought and nothing uses any more. `open_problems` do not stop it.
    """

    content: Content
    split: Split
    dataset: str
    new: tuple[Item, ...]
    reused: tuple[tuple[str, str], ...]
    dropped: tuple[str, ...]
    open_problems: tuple[Problem, ...]

    @property
    def sentence(self) -> str:
        """What it stands for, what comes with it and what goes, for the person who typed."""
        gone = ", ".join(f"`{key}`" for key in self.dropped)
        return f"{self.split.sentence} No longer needed: {gone}." if gone else self.split.sentence


def taken_apart(content: Content, *, key: str, formula: str, dataset: str = "") -> TypedFormula:
    """Put a typed formula in the place of an item's definition.

    Without a dataset, the one whose columns it aggregates is found. Raises Invalid with every
    reason why it cannot be; the content that was given stays as it is.
    """
    item = _metric_item(content, key)
    known = {**specs_in_force(), **_readable(content)}
    try:
        over = dataset or dataset_of_formula(formula, known, prefer=_datasets_of(key, known))
        split = split_formula(
            formula,
            dataset_key=over,
            dataset=_dataset(over, known),
            known=known,
            name=key,
            reusable=_reusable(content, item),
            taken=set(Entry.objects.values_list("key", flat=True)),
        )
        spec = _with_what_stands_beside(split.spec, item.spec)
        open_problems = _judged(spec, key, {**known, **split.new})
    except DefinitionRefused as refused:
        raise _refused(refused.problems) from refused
    dropped = _no_longer_used(content, item, known) - set(split.reused)
    made = item.model_copy(update={"spec": spec, "definition": ""})
    items = [made if one.key == key else one for one in content.items if one.key not in dropped]
    new = tuple(_part(name, part, made) for name, part in split.new.items())
    names = dict(Entry.objects.filter(key__in=split.reused).values_list("key", "name"))
    names |= {one.key: one.words.name for one in content.items}
    return TypedFormula(
        content=content.model_copy(update={"items": [*items, *new]}),
        split=split,
        dataset=over,
        new=new,
        reused=tuple((name, names.get(name, name)) for name in split.reused),
        dropped=tuple(sorted(dropped)),
        open_problems=tuple(open_problems),
    )


def _metric_item(content: Content, key: str) -> Item:
    item = next((one for one in content.items if one.key == key), None)
    if item is None:
        keys = ", ".join(one.key for one in content.items[:12])
        raise _refused(
            [Problem("key", "unknown_item", f"“{key}” is not in this request.", f"Known: {keys}.")]
        )
    if item.kind != Kind.METRIC:
        raise _refused(
            [
                Problem(
                    "key",
                    "wrong_kind",
                    f"“{key}” is a {item.kind}, and formulas are of metrics.",
                    "Name a metric of this request.",
                )
            ]
        )
    return item


def _refused(problems: list[Problem]) -> Invalid:
    """All reasons; what is not of the dataset or the key is of the formula."""
    placed = [one if one.place in ("dataset", "key") else one.at("formula") for one in problems]
    return Invalid(placed[0].message, problems=[problem.as_dict() for problem in placed])


def _readable(content: Content) -> dict[str, AnySpec]:
    """What the draft itself proposes, as far as it can be read."""
    found = {}
    for item in content.items:
        try:
            found[item.key] = read_spec(item.spec)
        except ValueError:
            continue
    return found


def _dataset(key: str, known: Mapping[str, AnySpec]) -> DatasetSpec | None:
    spec = known.get(key)
    if key and not isinstance(spec, DatasetSpec):
        raise DefinitionRefused(
            [
                Problem(
                    "dataset",
                    "unknown_dataset",
                    f"There is no dataset `{key}`.",
                    "Choose one of the catalog's datasets.",
                )
            ]
        )
    return spec if isinstance(spec, DatasetSpec) else None


def _datasets_of(key: str, known: Mapping[str, AnySpec]) -> set[str]:
    """The datasets that the metric is computed from until now."""
    try:
        below = closure(key, known)
    except DefinitionRefused:
        return set()
    return {spec.dataset for spec in below.values() if isinstance(spec, SimpleSpec)}


def _reusable(content: Content, item: Item) -> set[str]:
    """Metrics that may stand for a part without having been named: those in use. What was not
    reviewed only bears what is not reviewed either."""
    found = Entry.objects.filter(kind=Kind.METRIC, lifecycle=Lifecycle.ACTIVE)
    is_local = _tier_of(item) == Tier.LOCAL
    if not is_local:
        found = found.exclude(tier=Tier.LOCAL)
    own = {one.key for one in content.items if is_local or _tier_of(one) != Tier.LOCAL}
    return {*found.values_list("key", flat=True), *own}


def _tier_of(item: Item) -> int | None:
    if item.stewardship:
        return item.stewardship.tier
    return Entry.objects.filter(key=item.key).values_list("tier", flat=True).first()


def _with_what_stands_beside(spec: MetricSpec, before: dict[str, Any]) -> dict[str, Any]:
    """Filters, grains and what else is no formula stay; a filter of the formula comes to them."""
    beside = {name: before[name] for name in _BESIDE if before.get(name) is not None}
    if isinstance(kept := beside.get("filters"), list):
        beside["filters"] = [*kept, *(text for text in spec.filters if text not in kept)]
    return {**spec.model_dump(mode="json"), **beside}


def _judged(spec: dict[str, Any], key: str, known: Mapping[str, AnySpec]) -> list[Problem]:
    """What is still to be mended or answered. Raises for what is wrong with the formula itself."""
    found = problems_of(spec, key=key, known=known)
    stopping = [
        problem
        for problem in found
        if problem.level == Level.BLOCKS and problem.place.split(".")[0] not in _BESIDE
    ]
    if stopping:
        # Places inside of what it would become mean nothing to who typed a text.
        raise DefinitionRefused([Problem("", one.code, one.message, one.fix) for one in stopping])
    return found


def _no_longer_used(content: Content, item: Item, known: Mapping[str, AnySpec]) -> set[str]:
    """New parts that the item's formula brought, that nobody touched and nothing else uses."""
    mine = references(known[item.key]) if item.key in known else set()
    others = {name for key in known if key != item.key for name in references(known[key])}
    return {
        one.key
        for one in content.items
        if one.key in mine - others and one.base is None and _is_untouched(one, known)
    }


def _is_untouched(item: Item, known: Mapping[str, AnySpec]) -> bool:
    spec = known.get(item.key)
    return isinstance(spec, SimpleSpec) and item.words == _words_of(spec)


# --- the parts -----------------------------------------------------------------------------


def _part(key: str, spec: SimpleSpec, whole: Item) -> Item:
    """A part as a metric of its own, answered for by who answers for the whole."""
    return Item(
        key=key,
        kind="metric",
        base=None,
        spec={**spec.model_dump(mode="json"), "grains": whole.spec["grains"]},
        words=_words_of(spec),
        stewardship=_stewardship_of_parts(whole),
    )


def _stewardship_of_parts(whole: Item) -> Stewardship | None:
    """The same people, domain and tier; targets and promises are the whole's alone."""
    card = whole.stewardship
    entry = None if card else Entry.objects.select_related("domain").filter(key=whole.key).first()
    if entry is not None:
        card = stewardship_of(entry)
    if card is None:
        return None
    shared = ("domain", "tier", "owners", "backups", "stewards")
    return Stewardship(**{name: getattr(card, name) for name in shared})


_COUNTS = (Aggregation.COUNT, Aggregation.COUNT_DISTINCT, Aggregation.SUM_BOOLEAN)
_CALLED = {
    Aggregation.SUM: "Sum of {}",
    Aggregation.SUM_BOOLEAN: "Rows where {}",
    Aggregation.COUNT: "Count of {}",
    Aggregation.COUNT_DISTINCT: "Distinct {}",
    Aggregation.AVERAGE: "Average {}",
    Aggregation.MIN: "Smallest {}",
    Aggregation.MAX: "Largest {}",
    Aggregation.MEDIAN: "Median {}",
}
_LONGEST_NAME = 120


def _words_of(spec: SimpleSpec) -> ProposedWords:
    """A name and a sentence to begin with: what is aggregated, over which rows."""
    name = "".join(_name_of(spec))
    where = " and ".join(in_words(text) for text in spec.filters)
    if where:
        name += f" where {where}"
    unit = Unit(kind="count", decimals=0) if spec.aggregation in _COUNTS else Unit()
    return ProposedWords(
        name=name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…",
        definition=f"{name}, over the rows of {spec.dataset}."[:4000],
        unit=unit,
    )


def _name_of(spec: SimpleSpec) -> Iterator[str]:
    what = in_words(spec.expression)
    if spec.aggregation == Aggregation.COUNT and spec.expression == "1":
        yield f"Rows of {spec.dataset.replace('_', ' ')}"
    elif spec.aggregation == Aggregation.PERCENTILE:
        yield f"Percentile {100 * (spec.percentile or 0):g} of {what}"
    else:
        yield _CALLED[spec.aggregation].format(what)
