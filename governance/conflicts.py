"""Two people at one draft: what the text that was saved and the one that was typed differ in."""

from semantics.card import Words
from semantics.definition import AnySpec, read_spec
from semantics.diff import Difference, differences, word_differences

_OF_REQUEST = ("title", "reason", "effective_from", "publish_when", "publish_on")
_OF_ITEM = ("treatment", "keep_both_until", "lifecycle", "stewardship")


def conflict_of(theirs: dict, mine: dict, *, key: str) -> list[Difference]:
    """From what is saved to what was typed, in the fields of the request and of the item `key`.

    Both are contents of a draft. Definitions are compared in meaning where both can be read.
    """
    found = _fields(theirs, mine, _OF_REQUEST)
    saved, typed = _item(theirs, key), _item(mine, key)
    if saved is None or typed is None:
        gone = f"{key} is {'no longer' if saved is None else 'now'} in the saved draft"
        return [*found, Difference(key, "changed", gone)]
    return [
        *found,
        *_specs(saved["spec"], typed["spec"]),
        *word_differences(
            Words.model_validate(saved["words"]), Words.model_validate(typed["words"])
        ),
        *_fields(saved, typed, _OF_ITEM),
    ]


def _item(content: dict, key: str) -> dict | None:
    return next((item for item in content["items"] if item["key"] == key), None)


def _specs(saved: dict, typed: dict) -> list[Difference]:
    if saved == typed:
        return []
    before, after = _read(saved), _read(typed)
    if before is not None and after is not None:
        return differences(before, after)
    return _fields(saved, typed, tuple(sorted({*saved, *typed})))


def _read(spec: dict) -> AnySpec | None:
    try:
        return read_spec(spec)
    except ValueError:
        return None


def _fields(before: dict, after: dict, names: tuple[str, ...]) -> list[Difference]:
    found = []
    for name in names:
        old, new = before.get(name) or "", after.get(name) or ""
        if old != new:
            label = name.replace("_", " ").capitalize()
            sentence = f"{label}: {old} → {new}"
            found.append(Difference(name, "changed", sentence, str(old), str(new), is_prose=True))
    return found
