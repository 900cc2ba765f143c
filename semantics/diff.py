"""What differs between two definitions, in words, and how much the difference weighs.

The class of a change is computed and never chosen. *Additive* is only what leaves every past
value in its place by construction; what cannot be proved harmless is *Restating*, and so is a
difference in a field that this file does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from semantics.canonical import canonical, canonical_value
from semantics.card import EDITORIAL, Words
from semantics.definition import AnySpec, DatasetSpec, kind_of
from semantics.phrases import in_words, length


class ChangeClass(StrEnum):
    """How much a change weighs, from lightest to strictest."""

    EDITORIAL = "editorial"
    STEWARDSHIP = "stewardship"
    MEANING = "meaning"
    ADDITIVE = "additive"
    RESTATING = "restating"
    RETIRING = "retiring"


def strictest(classes: Iterable[ChangeClass]) -> ChangeClass | None:
    """The class that decides for all of them; None of none."""
    order = list(ChangeClass)
    return max(classes, key=order.index, default=None)


@dataclass(frozen=True)
class Difference:
    """One difference: its place, whether it was added, removed or changed, and a sentence.

    `old` and `new` are what stood and stands there, as prose if `is_prose` and else as code.
    """

    place: str
    change: str
    sentence: str
    old: str = ""
    new: str = ""
    is_prose: bool = False

    @property
    def lead(self) -> str:
        """The sentence without the values that end it, for where they are shown beside it."""
        for values in (f"{self.old} → {self.new}", self.new, self.old):
            if values and self.sentence.endswith(f": {values}"):
                return self.sentence.removesuffix(f": {values}")
        return self.sentence


@dataclass(frozen=True)
class Judgement:
    """A class with its reason; no class when nothing differs."""

    change_class: ChangeClass | None
    reason: str = ""


NOTHING = Judgement(None, "Nothing that moves a value differs")
# Growing these lists adds slices, and leaves every value that was there: a new path never takes
# the place of an old one (see `semantics.paths`).
_GROWING_OF_METRIC = ("dimensions", "grains")
_GROWING_OF_DATASET = ("columns", "dimensions", "entities")
_LABELS = {
    "filters": "Filter",
    "segments": "Segment",
    "dimensions": "Dimension",
    "grains": "Grain",
    "columns": "Column",
    "entities": "Entity",
    "inputs": "Input",
    "constant_properties": "Constant property",
    "tables": "Table",
    "sql": "Query",
    "fill_nulls_with": "Empty periods",
    "is_not": "What it is not",
    "is_kpi": "KPI",
}
# Said as one thing, defaults included.
_SAID_WHOLE = ("late_data", "fill_nulls_with", "window", "offset")
_LISTS = (
    *("filters", "segments", "dimensions", "grains", "columns", "entities", "inputs"),
    *("constant_properties", "tables"),
)


def class_of(old: AnySpec | None, new: AnySpec) -> Judgement:
    """How much a change of a spec weighs.

    Additive: it is new, or a metric gets more grains or dimensions, or a dataset more columns,
    dimensions or entities. All else may move a value and is Restating; so is what takes
    something away, since readers lose values that they had.
    """
    if old is None:
        return Judgement(ChangeClass.ADDITIVE, f"Additive, because this {kind_of(new)} is new")
    before, after = canonical(old), canonical(new)
    changed = [name for name in dict.fromkeys([*after, *before]) if _differ(name, before, after)]
    if not changed:
        return NOTHING
    if type(old) is not type(new):
        return Judgement(
            ChangeClass.RESTATING,
            f"Restating, because it was a {old.type} {kind_of(old)} and is a {new.type} one",
        )
    growing = _GROWING_OF_DATASET if isinstance(new, DatasetSpec) else _GROWING_OF_METRIC
    gone = {
        name: _without(_listed(name, old), _listed(name, new))
        for name in changed
        if name in growing
    }
    if len(gone) == len(changed) and not any(gone.values()):
        what = " and ".join(map(_one, changed))
        verb = "is" if len(changed) == 1 else "are"
        return Judgement(ChangeClass.ADDITIVE, f"Additive, because {what} {verb} added")
    heaviest = next((name for name in changed if name not in growing or gone[name]), changed[0])
    return Judgement(
        ChangeClass.RESTATING, f"Restating, because {_what_changed(heaviest, old, new)}"
    )


def _differ(name: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    return bool(before.get(name) != after.get(name))


def _what_changed(name: str, old: AnySpec, new: AnySpec) -> str:
    label = _label(name).lower()
    if name not in _LISTS:
        return f"the {label} changed"
    added = _without(_listed(name, new), _listed(name, old))
    gone = _without(_listed(name, old), _listed(name, new))
    if added and gone:
        return f"{_one(name)} changed"
    return f"{_one(name)} was {'added' if added else 'removed'}"


def _one(name: str) -> str:
    label = _label(name).lower()
    return f"an {label}" if label[0] in "aeiou" else f"a {label}"


def _without(members: list[Any], others: list[Any]) -> list[Any]:
    return [member for member in members if member not in others]


def _listed(name: str, spec: AnySpec) -> list[Any]:
    """A list of the spec in canonical form; of a default list, its default."""
    found = canonical_value(name, getattr(spec, name, []))
    return found if isinstance(found, list) else []


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def class_of_words(old: Words | None, new: Words) -> Judgement:
    """How much a change of the words on a card weighs."""
    if old is None:
        return NOTHING
    changed = [name for name in Words.model_fields if getattr(old, name) != getattr(new, name)]
    if not changed:
        return NOTHING
    meant = [name for name in changed if name not in EDITORIAL]
    if meant:
        return Judgement(
            ChangeClass.MEANING, f"Meaning, because the {_label(meant[0]).lower()} changed"
        )
    return Judgement(
        ChangeClass.EDITORIAL, f"Editorial, because only the {_label(changed[0]).lower()} changed"
    )


def differences(old: AnySpec | None, new: AnySpec) -> list[Difference]:
    """Every difference of two specs, in the order in which a definition is read.

    There is none exactly when the two have the same hash. Of a new spec, it is all that it says.
    """
    before = canonical(old) if old is not None else {}
    after = canonical(new)
    found: list[Difference] = []
    for name in dict.fromkeys([*after, *before]):
        if not _differ(name, before, after) or (old is None and name in ("type", "kind")):
            continue
        if name in _LISTS:
            found += _of_list(name, _listed(name, old) if old else [], _listed(name, new))
        else:
            found += _of_field(name, getattr(old, name, None), getattr(new, name, None), old)
    return found


def _of_field(name: str, old: Any, new: Any, before: object) -> list[Difference]:
    """One field. `before` is None when there was nothing at all."""
    label = _label(name)
    if isinstance(old, BaseModel) and type(old) is type(new) and name not in _SAID_WHOLE:
        return [
            one
            for inner in type(new).model_fields
            # Nothing in a ratio uses the names of its sides.
            if not (inner == "alias" and name in ("numerator", "denominator"))
            if canonical_value(inner, getattr(old, inner))
            != canonical_value(inner, getattr(new, inner))
            for one in _inside(name, inner, getattr(old, inner), getattr(new, inner))
        ]
    was, now = _said(name, old), _said(name, new)
    if name == "sql":
        return [Difference(name, "changed", "Query changed", was, now)]
    if before is None or (old is None and name not in _SAID_WHOLE):
        return [Difference(name, "added", f"{label}: {now}", "", now)]
    if new is None and name not in _SAID_WHOLE:
        return [Difference(name, "removed", f"{label} removed: {was}", was, "")]
    return [Difference(name, "changed", f"{label}: {was} → {now}", was, now)]


def _inside(name: str, inner: str, old: Any, new: Any) -> list[Difference]:
    if inner in _LISTS:
        found = _of_list(inner, canonical_value(inner, old), canonical_value(inner, new))
    else:
        found = _of_field(inner, old, new, before=name)
    return [
        replace(
            one,
            place=f"{name}.{one.place}",
            sentence=f"{_label(name)}: {one.sentence[0].lower()}{one.sentence[1:]}",
        )
        for one in found
    ]


def _of_list(name: str, old: list[Any], new: list[Any]) -> list[Difference]:
    """Members that came, went, or kept their names and say something else."""
    label = _label(name)
    come, gone = _without(new, old), _without(old, new)
    changed = {_named(each) for each in come} & {_named(each) for each in gone} - {""}
    found = []
    for change, members in (("added", come), ("removed", gone)):
        for member in members:
            if _named(member) in changed:
                continue
            said = _said(name, member)
            raw = str(member) if name == "filters" else said
            text = ("", raw) if change == "added" else (raw, "")
            found.append(Difference(name, change, f"{label} {change}: {said}", *text))
    for key in sorted(changed):
        was = _said(name, next(each for each in gone if _named(each) == key))
        now = _said(name, next(each for each in come if _named(each) == key))
        found.append(
            Difference(f"{name}.{key}", "changed", f"{label} {key}: {was} → {now}", was, now)
        )
    return found


def _named(member: Any) -> str:
    """The name by which a member of a list is the same one before and after."""
    if isinstance(member, dict):
        return str(member.get("name") or member.get("alias") or member.get("metric") or "")
    return ""


def _said(name: str, value: Any) -> str:
    """A value as a reader knows it."""
    if isinstance(value, BaseModel):
        value = canonical_value("", value) if name not in _SAID_WHOLE else value.model_dump()
    if name == "late_data":
        days = value["recompute_days"]
        return f"the last {days} closed {'day is' if days == 1 else 'days are'} computed again"
    if name == "fill_nulls_with":
        return "without a value" if value is None else str(value)
    if name in ("filters", "filter") and value is not None:
        return in_words(value)
    if name in ("window", "offset") and value is not None:
        return length(value["count"], value["grain"])
    if isinstance(value, dict):
        return _group_said(value)
    if isinstance(value, list):
        return ", ".join(_said("", each) for each in value)
    return "none" if value is None else str(value)


def _group_said(value: dict[str, Any]) -> str:
    if "metric" in value:
        parts = [str(value["metric"])]
        parts += [f"as {value['alias']}"] if "alias" in value else []
        parts += [f"{_said('offset', value['offset'])} before"] if "offset" in value else []
        where = " and ".join(in_words(text) for text in value.get("filters", []))
        return ", ".join([*parts, *([f"where {where}"] if where else [])])
    if set(value) == {"base", "conversion"}:
        return f"{value['base']} = {value['conversion']}"
    if "name" in value:
        rest = [
            f"{_label(inner).lower()} {_said(inner, said)}" if inner == "null_label" else str(said)
            for inner, said in value.items()
            if inner != "name"
        ]
        return f"{value['name']} ({', '.join(rest)})" if rest else str(value["name"])
    return ", ".join(
        f"{_label(inner).lower()} {_said(inner, said)}" for inner, said in value.items()
    )


def word_differences(old: Words | None, new: Words) -> list[Difference]:
    """Every difference of the words on two cards; of a first card, all that it says."""
    found = []
    for name, field in Words.model_fields.items():
        was = getattr(old, name) if old is not None else field.get_default()
        now = getattr(new, name)
        if was == now or (old is None and not now):
            continue
        label = _label(name)
        before, after = _word(was), _word(now)
        if not before or old is None:
            found.append(Difference(name, "added", f"{label}: {after}", "", after, True))
        elif not after:
            found.append(
                Difference(name, "removed", f"{label} removed: {before}", before, "", True)
            )
        else:
            sentence = f"{label}: {before} → {after}"
            found.append(Difference(name, "changed", sentence, before, after, True))
    return found


def _word(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = [each for each in value.model_dump().values() if each not in ("", None)]
    if isinstance(value, list | tuple):
        return ", ".join("any" if each is None else str(each) for each in value)
    if value is True or value is False:
        return "yes" if value else ""
    return "" if value is None else str(value)
