"""The example company as its YAML files say it: entries, people, tree and requests.

The files of metrics, datasets and segments say what an entry is today. A request says what it
wants to be different from that, so that what is in a file needs no second place.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from examples.replay import ZONE, Shift

FOLDER = Path(__file__).parent / "company"


@dataclass(frozen=True)
class Entry:
    """A metric, dataset or segment as it is today."""

    key: str
    kind: str
    spec: dict
    words: dict
    stewardship: dict


@dataclass(frozen=True)
class Step:
    """What one person did to a request, and when, in the shop's time of the year of the files."""

    at: datetime
    by: str
    does: str
    says: str = ""
    items: tuple[dict, ...] = ()

    def instant(self, shift: Shift) -> datetime:
        """When it happens in the replay."""
        local = datetime.combine(shift.moved(self.at.date()), self.at.time(), ZoneInfo(ZONE))
        return local.astimezone(ZoneInfo("UTC"))


@dataclass(frozen=True)
class Request:
    """One change request with all that became of it."""

    name: str
    title: str
    reason: str
    author: str
    effective_from: date
    items: tuple[dict, ...]
    steps: tuple[Step, ...]

    def items_at(self, step: Step) -> list[dict]:
        """The items as they stood after a step: the first ones, and what was edited since."""
        found = {item["key"]: deepcopy(item) for item in self.items}
        for edit in self.steps[: self.steps.index(step) + 1]:
            for change in edit.items:
                merged = found.setdefault(change["key"], {"key": change["key"]})
                for name, value in change.items():
                    if isinstance(value, dict):
                        merged[name] = {**merged.get(name, {}), **value}
                    else:
                        merged[name] = value
        return list(found.values())

    def revision_at(self, step: Step) -> int:
        """The number of the revision that a step makes or speaks of."""
        return sum(one.does == "submit" for one in self.steps[: self.steps.index(step) + 1])


@dataclass(frozen=True)
class Company:
    folder: Path = field(default=FOLDER)

    @cached_property
    def entries(self) -> dict[str, Entry]:
        paths = [
            path
            for kind in ("datasets", "segments", "metrics")
            for path in sorted((self.folder / kind).glob("*.yaml"))
        ]
        return {entry.key: entry for entry in (Entry(**_read(path)) for path in paths)}

    @cached_property
    def metrics(self) -> dict[str, Entry]:
        return {key: entry for key, entry in self.entries.items() if entry.kind == "metric"}

    @cached_property
    def requests(self) -> list[Request]:
        return [_request(path) for path in sorted((self.folder / "requests").glob("*.yaml"))]

    @cached_property
    def domains(self) -> list[dict]:
        return self._people["domains"]

    @cached_property
    def people(self) -> list[dict]:
        return self._people["people"]

    @cached_property
    def tree(self) -> list[dict]:
        return _read(self.folder / "tree.yaml")

    def branches(self, key: str) -> list[dict]:
        """What a metric hangs under."""
        hanging = [edge for edge in self.tree if edge["child"] == key]
        return [{name: edge[name] for name in edge if name != "child"} for edge in hanging]

    @cached_property
    def checks(self) -> list[dict]:
        return _read(self.folder / "checks.yaml")

    @cached_property
    def _people(self) -> dict:
        return _read(self.folder / "people.yaml")


def _read(path: Path):
    return yaml.safe_load(path.read_text())


def _request(path: Path) -> Request:
    document = _read(path)
    steps = tuple(
        Step(
            **{
                **step,
                "at": datetime.fromisoformat(step["at"]),
                "items": tuple(step.get("items", ())),
            }
        )
        for step in document.pop("steps")
    )
    items = tuple(document.pop("items"))
    return Request(name=path.stem, items=items, steps=steps, **document)
