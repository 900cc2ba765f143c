"""Where a fault of a draft is mended: the field of the editor that its place leads to."""

from collections.abc import Iterable
from urllib.parse import urlencode

# Parts of a place that are not the name of their field.
_FIELDS = {
    "window": "window_count",
    "direction": "c-direction",
    "role": "c-role",
    "timing": "c-timing",
    "unit": "unit_kind",
    "name": "name",
    "synonyms": "synonyms",
    "tags": "tags",
}
_OF_REQUEST = ("title", "reason", "effective_from", "publish_when", "publish_on", "formula")
_OF_SEGMENT = ("dataset", "filter")


def with_fields(problems: Iterable[dict], *, page: str, key: str, items: list[dict]) -> list[dict]:
    """Each problem with `href`, which leads to its field on the page of the item `key`.

    A problem of another item leads to the editor, at `page`, on that one; one without a field has
    no address.
    """
    kinds = {item["key"]: item["kind"] for item in items}
    return [
        problem | {"href": _href(problem.get("place", ""), page, key, kinds)}
        for problem in problems
    ]


def _href(place: str, page: str, key: str, kinds: dict[str, str]) -> str:
    first, *rest = place.split(".")
    if first == "dataset":
        return "#formula_dataset"
    if first in _OF_REQUEST:
        return f"#{first}"
    if first != "items" or not rest or rest[0] not in kinds:
        return ""
    owner, *inside = rest
    field = _field(inside, kinds[owner])
    if owner == key:
        return f"#{field}" if field else ""
    return f"{page}?{urlencode({'item': owner})}" + (f"#{field}" if field else "")


def _field(inside: list[str], kind: str) -> str:
    group, *rest = inside or [""]
    if group == "spec":
        return _field_of_spec(rest, kind)
    if group == "words" and rest:
        return _FIELDS.get(rest[0], f"w-{rest[0]}")
    if group == "stewardship":
        return rest[0] if rest else "owners"
    return group if group in ("treatment", "keep_both_until") else ""


def _field_of_spec(rest: list[str], kind: str) -> str:
    if kind == "dataset":
        return "yaml"
    first = rest[0] if rest else ""
    if kind == "segment":
        return first if first in _OF_SEGMENT else "filter"
    if first in ("numerator", "denominator") and "filters" in rest:
        return f"{first}_filters"
    return _FIELDS.get(first, first)
