"""Items that begin as what is in force: for an editor to change, and for a caller to say less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.models import Entry, Version
from governance.content import Item


def item_of(entry: Entry, version: Version | None = None) -> Item:
    """An item that proposes what `version` says (the current one unless told)."""
    source = version or entry.shown
    return Item(
        key=entry.key,
        kind=entry.kind,
        base=entry.current_version.number if entry.current_version else None,
        spec=source.definition.spec,
        words=source.words,
    )


def completed(document: Any) -> Any:
    """The document with what its items leave out, taken from the versions they start from.

    An item that names an existing key without a whole spec and words is a change of it; one that
    brings both, and no base, says that it is new.
    """
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return document  # Its shape is refused with all places by `read_content`.
    wanting = [item for item in items if not (_is_whole(item) and item.get("base") is None)]
    keys = [key for item in wanting if isinstance(key := item.get("key"), str)]
    versions = _base_versions(wanting, keys)
    return {**document, "items": [_completed_item(item, versions) for item in items]}


def _is_whole(item: dict) -> bool:
    spec, words = item.get("spec"), item.get("words")
    return bool(isinstance(spec, dict) and "type" in spec and isinstance(words, dict) and words)


def _base_versions(items: list[dict], keys: list[str]) -> dict[str, Version]:
    """The version that each item starts from: of the number it names, else the current one."""
    wanted = {item["key"]: item.get("base") for item in items if item.get("key") in keys}
    found = {}
    rows = Version.objects.filter(entry__key__in=keys).select_related("entry", "definition")
    for version in rows:
        base = wanted[version.entry.key]
        is_it = (
            version.pk == version.entry.current_version_id
            if base is None
            else version.number == base
        )
        if is_it:
            found[version.entry.key] = version
    return found


def _completed_item(item: dict, versions: Mapping[str, Version]) -> dict:
    key = item.get("key")
    version = versions.get(key) if isinstance(key, str) else None
    if version is None or (item.get("base") is None and _is_whole(item)):
        return item
    spec, words = item.get("spec"), item.get("words")
    filled = {**item, "base": version.number, "kind": item.get("kind", version.entry.kind)}
    if spec is None or (isinstance(spec, dict) and "type" not in spec):
        filled["spec"] = {**version.definition.spec, **(spec or {})}
    if words is None or (isinstance(words, dict) and "name" not in words):
        filled["words"] = {**version.words, **(words or {})}
    return filled
