"""What a change request proposes: the content of a draft and of a revision, and its hash."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.models import Dataset, Entry
from catalog.stewardship import Stewardship, stewardship_of
from core import clock
from core.errors import Invalid
from semantics.card import Words
from semantics.definition import KEY

_LARGEST = 10**18


class ProposedWords(Words):
    """The words of a proposal, whose name may still be missing while somebody types."""

    name: Annotated[str, Field(max_length=120)] = ""


class Item(BaseModel):
    """One entry of the catalog and what it should become.

    `base` is the number of the version that the proposal started from; None for what does not
    exist yet. `definition` is the hash of the spec, filled in when the request is submitted.
    `stewardship` None leaves who answers, tier, target and SLA as they are.
    """

    model_config = ConfigDict(extra="forbid")

    key: str = Field(pattern=KEY)
    kind: Literal["metric", "dataset", "segment"] = "metric"
    base: int | None = None
    spec: dict[str, Any] = {}
    definition: str = ""
    words: ProposedWords = ProposedWords()
    stewardship: Stewardship | None = None
    treatment: Literal["restate", "break", "keep_both", ""] = ""
    keep_both_until: date | None = None
    lifecycle: Literal["active", "deprecated", "retired"] | None = None
    # Of what becomes deprecated: the last day on which it may be used, and what to use then.
    last_day: date | None = None
    successor: str | None = Field(None, pattern=KEY)


def hash_of_card(entry: Entry) -> str:
    """Names what a card says of who answers, and its lifecycle: a proposal brings all of it."""
    said = {
        **stewardship_of(entry).model_dump(mode="json"),
        "lifecycle": entry.lifecycle,
        "last_day": entry.last_day and entry.last_day.isoformat(),
        "successor": entry.successor_id,
    }
    return hash_of_content(said)


def day_begun_everywhere() -> date:
    """The day that has begun wherever the catalog's rows come from: in the evening of New York it
    is not the one of UTC yet, and what takes effect on it does so at once."""
    zones = Dataset.objects.live().values_list(
        "current_version__definition__spec__time_zone", flat=True
    )
    return min(clock.today(zone) for zone in {*zones} or {"UTC"})


class Content(BaseModel):
    """All of a request. Its hash is what an approval binds to.

    `stands_on` are the definitions outside of the request that its new definitions are computed
    from, and `cards` what the cards said of whom this proposes other stewardship or lifecycle, both
    filled in when it is submitted: when one of them moves, the request is out of date.
    """

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=160)
    reason: str = Field("", max_length=8000)
    effective_from: date = Field(default_factory=day_begun_everywhere)
    publish_when: Literal["approved", "button", "date"] = "approved"
    publish_on: date | None = None
    items: list[Item] = Field(min_length=1, max_length=20_000)
    stands_on: dict[str, str] = {}
    cards: dict[str, str] = {}

    def item(self, key: str) -> Item:
        return next(item for item in self.items if item.key == key)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of everything that is proposed."""
        return hash_of_content(self.as_json())


def hash_of_content(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_content(document: dict[str, Any]) -> Content:
    """Build the content from its JSON. Raises Invalid with every place that is not right."""
    try:
        content = Content.model_validate(document)
    except ValidationError as error:
        problems = [
            {
                "place": _place(document, fault["loc"]),
                "code": fault["type"],
                "message": f"{_words(fault['loc'])}: {_said(fault)}",
            }
            for fault in error.errors(include_url=False, include_context=False)
        ]
        raise Invalid(problems[0]["message"], problems=problems) from error
    seen: set[str] = set()
    for item in content.items:
        for name in _too_large(item.spec):
            message = f"{name.capitalize()}: a number here is too large. Write one below 10^18."
            problem = {"place": f"items.{item.key}.spec.{name}", "code": "too_large"}
            raise Invalid(message, problems=[{**problem, "message": message}])
        if item.key in seen:
            message = f"“{item.key}” is in this request twice. Keep one of the two items."
            problem = {"place": f"items.{item.key}", "code": "duplicate", "message": message}
            raise Invalid(message, problems=[problem])
        seen.add(item.key)
    return content


def _too_large(spec: dict[str, Any]) -> list[str]:
    """The fields of a spec that hold a number which JSON cannot carry on: kept as it was written,
    it would come back as a whole number of more than 64 bits."""
    found = []
    for name, value in spec.items():
        waiting = [value]
        while waiting:
            inner = waiting.pop()
            if isinstance(inner, dict):
                waiting += inner.values()
            elif isinstance(inner, list):
                waiting += inner
            elif isinstance(inner, int | float) and not -_LARGEST < inner < _LARGEST:
                found.append(str(name))
                break
    return found


# What pydantic says in the words of programmers, in ours: what is wrong and what to write.
_SAID = {
    "string_pattern_mismatch": "“{input}” is no key. Write small letters, digits and _, beginning "
    "with a letter, e.g. net_sales.",
    "extra_forbidden": "There is no such field. Take it out, or look at its spelling.",
    "missing": "It is missing. Add it.",
}
_DATES = "“{input}” is no day. Write it like 2026-03-31."


def _said(fault) -> str:
    default = _DATES if fault["type"].startswith("date_") else f"{fault['msg']}."
    said = _SAID.get(fault["type"])
    if said is None and default is not _DATES:
        return default
    return (said or default).format(input=str(fault["input"])[:60])


def _place(document: Any, location: tuple) -> str:
    """`items.0.words.name` with the item's key in place of its position."""
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] == "items" and isinstance(location[1], int):
        item = document["items"][location[1]]
        parts[1] = str(item.get("key", parts[1])) if isinstance(item, dict) else parts[1]
    return ".".join(parts)


def _words(location: tuple) -> str:
    named = [str(part).replace("_", " ") for part in location if isinstance(part, str)]
    return (named[-1] if named else "Request").capitalize()
