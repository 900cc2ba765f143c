"""The canonical form of a spec and its hash: equal forms mean equal values.

Only what is proved equal is made equal. Lists that are sets are sorted and taken once, defaults
are left out, and expressions are written as `semantics.equal` says. Everything else that differs
is a change: `late_data` too, since it decides which late rows a stored value has seen.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from semantics.definition import AnySpec, MetricInput, RatioSpec
from semantics.equal import conjuncts, one_spelling

# They tell kinds of documents apart, so they stay although they have defaults.
_KEPT = ("type", "kind")
_SETS = (
    *("segments", "grains", "dimensions", "constant_properties", "inputs"),
    *("tables", "columns", "entities"),
)


def canonical(spec: AnySpec) -> dict[str, Any]:
    """The spec as a JSON document in its canonical form. `read_spec` reads it."""
    document = _document(spec)
    if isinstance(spec, RatioSpec):
        # A ratio's inputs are told apart by their places; only a formula uses their names.
        document["numerator"].pop("alias", None)
        document["denominator"].pop("alias", None)
    return document


def hash_of(spec: AnySpec) -> str:
    """SHA-256 (hex) of the canonical JSON; it names the definition."""
    as_typed = hashlib.sha256(spec.model_dump_json(warnings=False).encode()).digest()
    if as_typed not in _kept_hashes:
        if len(_kept_hashes) >= _KEPT_HASHES:
            _kept_hashes.clear()
        _kept_hashes[as_typed] = _hash_of(spec)
    return _kept_hashes[as_typed]


# A definition is hashed wherever it is proposed, compared, stored or previewed, and equal
# documents have equal hashes for ever.
_KEPT_HASHES = 30_000
_kept_hashes: dict[bytes, str] = {}


def _hash_of(spec: AnySpec) -> str:
    text = json.dumps(canonical(spec), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_filters(filters: list[str]) -> list[str]:
    """Filters that hold together, as the sorted parts of one AND."""
    return sorted({part for text in filters for part in conjuncts(text)})


def _document(model: BaseModel) -> dict[str, Any]:
    found = {}
    for name, field in type(model).model_fields.items():
        value = canonical_value(name, getattr(model, name))
        if name in _KEPT or not _is_default(name, value, field):
            found[name] = value
    if isinstance(model, MetricInput) and found.get("alias") == model.metric:
        del found["alias"]
    return found


def _is_default(name: str, value: Any, field: FieldInfo) -> bool:
    return not field.is_required() and value == canonical_value(name, field.get_default())


def canonical_value(name: str, value: Any) -> Any:
    """What the field `name` says, in canonical form."""
    if name == "filters":
        return canonical_filters(value)
    if name == "filter":
        return " AND ".join(conjuncts(value))
    if name in ("expression", "sql"):
        return one_spelling(value)
    if isinstance(value, BaseModel):
        return _document(value)
    if isinstance(value, list):
        members = [canonical_value("", each) for each in value]
        return _as_set(members) if name in _SETS else members
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def _as_set(members: list[Any]) -> list[Any]:
    """Sorted by their JSON, each once."""
    told_apart = {json.dumps(member, sort_keys=True): member for member in members}
    return [told_apart[text] for text in sorted(told_apart)]
