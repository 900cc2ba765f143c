"""The field for a typed formula: what it completes, what it says, and where its faults are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import QueryDict

from core.errors import Invalid
from governance.content import read_content
from governance.formulas import TypedFormula, taken_apart
from semantics.definition import METRIC_TYPES, AnySpec, DatasetSpec
from semantics.paths import routes

_PLACE = re.compile(r"\(line (\d+), column (\d+)\)")
_QUOTED = re.compile(r"`([^`…]+)`")


@dataclass(frozen=True)
class Typed:
    """A formula as it was typed, with what it stands for or the reasons why it cannot be."""

    text: str = ""
    dataset: str = ""
    found: TypedFormula | None = None
    problems: list[dict] = field(default_factory=list)


def typed(asked: QueryDict, content: dict, key: str) -> Typed:
    """Take the formula of a form or an address apart, beside a draft; nothing is written."""
    text, dataset = asked.get("formula", "").strip(), asked.get("formula_dataset", "")
    if not text:
        return Typed(dataset=dataset)
    try:
        found = taken_apart(read_content(content), key=key, formula=text, dataset=dataset)
    except Invalid as refused:
        return Typed(text, dataset, problems=refused.details["problems"])
    return Typed(text, dataset, found)


def marked(text: str, problems: list[dict]) -> list[dict]:
    """The problems with the part of the text that each is about, as an editor underlines it."""
    return [problem | _span(text, problem["message"]) for problem in problems]


def _span(text: str, message: str) -> dict:
    quoted = _QUOTED.search(message)
    word = quoted[1] if quoted else ""
    if place := _PLACE.search(message):
        line, column = int(place[1]), int(place[2])
        # The reader of formulas says where a word ends.
        end = sum(map(len, text.splitlines(keepends=True)[: line - 1])) + column
        return _units(text, max(end - max(len(word), 1), 0), end)
    if word and (found := re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)):
        return _units(text, *found.span())
    return {}


def _units(text: str, start: int, end: int) -> dict:
    """Browsers count letters beyond the first 65,536 twice."""
    before, until = (len(text[:place].encode("utf-16-le")) // 2 for place in (start, end))
    return {"from": before, "to": until}


def names_for_filters(known: Mapping[str, AnySpec]) -> list[dict]:
    """Dimensions with the datasets whose rows they are `of`, or are reached from."""
    return [row for row in _names_of_datasets(known) if row["type"] == "dimension"]


def names_for_formulas(known: Mapping[str, AnySpec], key: str) -> list[dict]:
    """Columns and dimensions with the datasets that they are `of`, and metrics."""
    metrics = [
        {"label": name, "type": "metric", "detail": one.type}
        for name, one in known.items()
        if one.type in METRIC_TYPES and name != key
    ]
    return [*_names_of_datasets(known), *metrics]


def _names_of_datasets(known: Mapping[str, AnySpec]) -> list[dict]:
    datasets = {name: spec for name, spec in known.items() if isinstance(spec, DatasetSpec)}
    found: dict[tuple[str, str], dict] = {}
    for name, spec in datasets.items():
        columns = [(column.name, "column", column.type.value) for column in spec.columns]
        paths = [(path, "dimension", "dimension") for path in routes(name, datasets)]
        for label, kind, detail in (*columns, *paths):
            row = {"label": label, "type": kind, "detail": detail, "of": []}
            found.setdefault((label, kind), row)["of"].append(name)
    return list(found.values())
