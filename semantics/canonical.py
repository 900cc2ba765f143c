"""The canonical form of a spec and its hash: equal forms mean equal values.

Only what is proved equal is made equal: lists that are sets are sorted, the parts of an AND are
sorted and taken once, parentheses around a whole text go, defaults are left out. Everything else
that differs is a change.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel
from sqlglot import exp

from semantics.definition import AnySpec
from semantics.guard import parse, render
from semantics.problems import DefinitionRefused

# They tell kinds of documents apart, so they stay although they have defaults.
_KEPT = ("type", "kind")
_EXPRESSIONS = ("expression", "filter")
# Lists without an order, and by what their members are sorted.
_SETS = ("segments", "grains", "dimensions", "tables", "constant_properties", "columns", "entities")


def canonical(spec: AnySpec) -> dict[str, Any]:
    """The spec as a JSON document in its canonical form."""
    return _document(spec)


def hash_of(spec: AnySpec) -> str:
    """SHA-256 (hex) of the canonical JSON; it names the definition."""
    text = json.dumps(canonical(spec), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_filters(filters: list[str]) -> list[str]:
    """Filters that hold together, as the sorted parts of one AND."""
    return sorted({part for text in filters for part in _conjuncts(text)})


def canonical_text(text: str) -> str:
    """One spelling of an expression. A text that does not parse is left as it is."""
    try:
        return render(_bare(parse(text)))
    except DefinitionRefused:
        return text


def _document(model: BaseModel) -> dict[str, Any]:
    found = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if name not in _KEPT and not field.is_required() and value == field.get_default():
            continue
        found[name] = _value(name, value)
    return found


def _value(name: str, value: Any) -> Any:
    if name == "filters":
        return canonical_filters(value)
    if name in _EXPRESSIONS and isinstance(value, str):
        return " AND ".join(_conjuncts(value)) if name == "filter" else canonical_text(value)
    if isinstance(value, BaseModel):
        return _document(value)
    if isinstance(value, list):
        members = [_value("", each) for each in value]
        if name in _SETS or name == "inputs":
            return sorted(members, key=lambda each: json.dumps(each, sort_keys=True))
        return members
    return str(value) if not isinstance(value, int | float | bool | str | None) else value


def _conjuncts(text: str) -> list[str]:
    try:
        tree = _bare(parse(text))
    except DefinitionRefused:
        return [text]
    parts = [_bare(part) for part in tree.flatten()] if isinstance(tree, exp.And) else [tree]
    return sorted({render(part) for part in parts})


def _bare(tree: exp.Expr) -> exp.Expr:
    """Without the parentheses around the whole, which bind nothing."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree
