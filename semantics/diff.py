"""What differs between two definitions, in words, and how much the difference weighs.

The class of a change is computed and never chosen. *Additive* is only what leaves every past
value in its place by construction; what cannot be proved harmless is *Restating*, and so is a
difference in a field that this file does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from semantics.canonical import canonical
from semantics.card import EDITORIAL, Words
from semantics.definition import AnySpec, DatasetSpec, MetricSpec
from semantics.phrases import in_words


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
    """One difference: its place, whether it was added, removed or changed, and a sentence."""

    place: str
    change: str
    sentence: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Judgement:
    """A class with its reason; no class when nothing differs."""

    change_class: ChangeClass | None
    reason: str = ""


NOTHING = Judgement(None, "Nothing differs")
# Growing these lists of a metric adds slices and leaves every value that was there.
_GROWING_OF_METRIC = ("dimensions", "grains")
_GROWING_OF_DATASET = ("columns", "dimensions")
# Filters are compared part by part, and so are lists.
_LABELS = {
    "filters": "Filter",
    "segments": "Segment",
    "dimensions": "Dimension",
    "grains": "Grain",
    "columns": "Column",
    "entities": "Entity",
    "inputs": "Input",
    "constant_properties": "Constant property",
}


def class_of(old: AnySpec | None, new: AnySpec) -> Judgement:
    """How much a change of a spec weighs."""
    if old is None:
        return Judgement(ChangeClass.ADDITIVE, f"Additive, because this {_noun(new)} is new")
    before, after = canonical(old), canonical(new)
    if before == after:
        return NOTHING
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    growing = _GROWING_OF_DATASET if isinstance(new, DatasetSpec) else _GROWING_OF_METRIC
    if type(old) is type(new) and all(
        name in growing and _only_grows(before.get(name, []), after.get(name, []))
        for name in changed
    ):
        what = " and ".join(f"a {_label(name).lower()}" for name in changed)
        return Judgement(ChangeClass.ADDITIVE, f"Additive, because {what} is added")
    heaviest = next((name for name in changed if name not in growing), changed[0])
    return Judgement(
        ChangeClass.RESTATING, f"Restating, because the {_label(heaviest).lower()} changed"
    )


def _noun(spec: AnySpec) -> str:
    if isinstance(spec, MetricSpec):
        return "metric"
    return spec.type


def _only_grows(before: list, after: list) -> bool:
    return all(member in after for member in before)


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
    """Every difference of two specs, in the order in which people read a definition."""
    before = canonical(old) if old is not None else {}
    after = canonical(new)
    names = [*after, *(name for name in before if name not in after)]
    found: list[Difference] = []
    for name in names:
        if before.get(name) != after.get(name):
            found += _of_field(name, before.get(name), after.get(name))
    return found


def _of_field(name: str, old: Any, new: Any) -> list[Difference]:
    if name in _LABELS:
        return _of_list(name, old or [], new or [])
    label = _label(name)
    if isinstance(old, dict) and isinstance(new, dict) and set(old) | set(new):
        return [
            one
            for inner in dict.fromkeys([*new, *old])
            if old.get(inner) != new.get(inner)
            for one in _inside(name, inner, old.get(inner), new.get(inner))
        ]
    if old is None:
        return [Difference(name, "added", f"{label}: {_said(new)}", "", _said(new))]
    if new is None:
        return [Difference(name, "removed", f"{label} removed: {_said(old)}", _said(old), "")]
    sentence = f"{label}: {_said(old)} → {_said(new)}"
    return [Difference(name, "changed", sentence, _said(old), _said(new))]


def _inside(name: str, inner: str, old: Any, new: Any) -> list[Difference]:
    return [
        Difference(
            f"{name}.{one.place}",
            one.change,
            f"{_label(name)}, {one.sentence[0].lower()}{one.sentence[1:]}",
            one.old,
            one.new,
        )
        for one in _of_field(inner, old, new)
    ]


def _of_list(name: str, old: list, new: list) -> list[Difference]:
    label = _label(name)
    is_filter = name == "filters"
    found = []
    named = {_named(each) for each in old} & {_named(each) for each in new} - {""}
    for member in new:
        if member in old or _named(member) in named:
            continue
        said = in_words(member) if is_filter else _said(member)
        found.append(Difference(name, "added", f"{label} added: {said}", "", _said(member)))
    for member in old:
        if member in new or _named(member) in named:
            continue
        said = in_words(member) if is_filter else _said(member)
        found.append(Difference(name, "removed", f"{label} removed: {said}", _said(member), ""))
    for key in sorted(named):
        was = next(each for each in old if _named(each) == key)
        now = next(each for each in new if _named(each) == key)
        if was != now:
            sentence = f"{label} {key}: {_said(was)} → {_said(now)}"
            found.append(Difference(f"{name}.{key}", "changed", sentence, _said(was), _said(now)))
    return found


def _named(member: Any) -> str:
    """The name by which a member of a list is the same one before and after."""
    if isinstance(member, dict):
        return str(member.get("name") or member.get("alias") or member.get("metric") or "")
    return ""


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        if set(value) <= {"count", "grain"} and value:
            return f"{value.get('count', 1)} {value.get('grain', 'day')}s"
        if set(value) == {"metric"}:
            return str(value["metric"])
        return ", ".join(f"{name} {_said(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    return str(value)


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
            found.append(Difference(name, "added", f"{label}: {after}", "", after))
        elif not after:
            found.append(Difference(name, "removed", f"{label} removed: {before}", before, ""))
        else:
            sentence = f"{label}: {before} → {after}"
            found.append(Difference(name, "changed", sentence, before, after))
    return found


def _word(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = [each for each in value.model_dump().values() if each not in ("", None)]
    if isinstance(value, list | tuple):
        return ", ".join("any" if each is None else str(each) for each in value)
    if value is True or value is False:
        return "yes" if value else ""
    return "" if value is None else str(value)
