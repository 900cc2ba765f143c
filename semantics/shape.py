"""Faults in the shape of a document: what pydantic found, said in our words."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from semantics.definition import (
    METRIC_TYPES,
    CategoricalDimension,
    Column,
    ConstantProperty,
    ConversionSpec,
    CumulativeSpec,
    DatasetSpec,
    DerivedSpec,
    Entity,
    LateData,
    MetricInput,
    Query,
    RatioSpec,
    SegmentSpec,
    SimpleSpec,
    Table,
    TimeDimension,
    Window,
)
from semantics.problems import Problem, nearest

_TYPES = (*METRIC_TYPES, "dataset", "segment")
_MODELS: tuple[type[BaseModel], ...] = (
    *(SimpleSpec, RatioSpec, DerivedSpec, CumulativeSpec, ConversionSpec, DatasetSpec, SegmentSpec),
    *(Table, Query, Column, Entity, CategoricalDimension, TimeDimension, Window, LateData),
    *(MetricInput, ConstantProperty),
)
_FIELDS = frozenset(name for model in _MODELS for name in model.model_fields)
# Choices that pydantic names in a place although the document has no such step.
_TAGS = frozenset((*_TYPES, "table", "query", "categorical", "time"))


def problems_of_shape(document: object, error: ValidationError) -> list[Problem]:
    """Every fault of shape with its place in the document."""
    return [_problem(document, fault) for fault in error.errors(include_url=False)]


def _problem(document: object, fault: Any) -> Problem:
    location = _location(document, fault["loc"])
    place = ".".join(location)
    name = next((part for part in reversed(location) if not part.isdigit()), "definition")
    name = name.replace("_", " ")
    kind, context, given = fault["type"], fault.get("ctx", {}), fault.get("input")
    match kind:
        case "union_tag_invalid" | "union_tag_not_found":
            return _unknown_tag(place, context, given)
        case "missing":
            return Problem(place, "missing", f"The {name} is missing.", f"Give the {name}.")
        case "extra_forbidden":
            return Problem(
                place,
                "unknown_field",
                f"A definition of this kind has no field `{location[-1]}`.",
                nearest(location[-1], _FIELDS - {location[-1]}) or "Remove it.",
            )
        case "string_pattern_mismatch" if given != "":
            return Problem(
                place,
                "bad_name",
                f"{_quoted(given)} cannot be a {name}.",
                "Use small letters, digits and underscores, and begin with a letter.",
            )
        case "enum" | "literal_error":
            expected = str(context.get("expected", ""))
            return Problem(
                place,
                "unknown_choice",
                f"{_quoted(given)} is no {name.removesuffix('s')}.",
                f"Use {expected}.",
            )
        case "too_short" | "string_too_short" | "string_pattern_mismatch":
            return Problem(place, "empty", f"Nothing is given as {name}.", f"Give the {name}.")
        case "model_type" | "dict_type" | "model_attributes_type":
            return Problem(
                place,
                "bad_shape",
                f"The {name} must be a group of fields, and is {_quoted(given)}.",
                "Write it as an object with named fields.",
            )
    said = str(fault["msg"]).removeprefix("Value error, ").rstrip(".")
    said = said[:1].lower() + said[1:]
    return Problem(place, "bad_value", f"The {name} is not right: {said}.", f"Mend the {name}.")


def _unknown_tag(place: str, context: dict[str, Any], given: object) -> Problem:
    tag = str(context.get("discriminator", "'type'")).strip("'")
    place = ".".join(part for part in (place, tag) if part)
    said = given.get(tag) if isinstance(given, dict) else None
    choices = ", ".join(_TYPES) if "." not in place and tag == "type" else ""
    choices = choices or str(context.get("expected_tags", "")).replace("'", "")
    message = f"{_quoted(said)} is no {tag}." if said else f"The {tag} is missing."
    choose = {"kind": "table or query"}.get(tag, "categorical or time")
    return Problem(place, "unknown_type", message, f"Choose among {choices or choose}.")


def _location(document: object, path: tuple[int | str, ...]) -> list[str]:
    """The path without the tags of unions, which are no steps in the document."""
    here: Any = document
    found: list[str] = []
    for step in path:
        is_there = isinstance(here, dict) and step in here
        if not is_there and step in _TAGS and step != path[-1]:
            continue
        found.append(str(step))
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
    return found


def _quoted(value: object) -> str:
    text = str(value)
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"
