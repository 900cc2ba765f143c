"""What a preview is asked and what it answers: old and new values side by side, in figures."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal

from semantics.canonical import hash_of
from semantics.definition import AnySpec, Grain, MetricSpec
from semantics.question import askable_dimensions


@dataclass(frozen=True)
class PreviewItem:
    """One metric of a proposal: the closures that it stands on now and would stand on.

    `old_specs` is None for a metric that does not exist yet.
    """

    key: str
    old_specs: Mapping[str, AnySpec] | None
    new_specs: Mapping[str, AnySpec]

    @property
    def sides(self) -> dict[str, Mapping[str, AnySpec]]:
        """The closures to compute, by label. Equal ones are computed too: that is the proof."""
        sides = {"old": self.old_specs, "new": self.new_specs}
        return {label: specs for label, specs in sides.items() if specs is not None}

    def grain(self, wanted: Grain | None = None) -> Grain:
        """The grain of the comparison: the wanted one, else weeks, else the metric's first."""
        spec = self.new_specs[self.key]
        grains = spec.grains if isinstance(spec, MetricSpec) else [Grain.WEEK]
        if wanted is not None and wanted in grains:
            return wanted
        return Grain.WEEK if Grain.WEEK in grains else grains[0]


def askable_by(items: Sequence[PreviewItem]) -> list[str]:
    """The dimensions that at least one side of one of these metrics can be asked by."""
    return sorted(
        {
            name
            for item in items
            for specs in item.sides.values()
            for name in askable_dimensions(item.key, specs)
        }
    )


def hashes_of(specs: Mapping[str, AnySpec]) -> dict[str, str]:
    return {key: hash_of(spec) for key, spec in specs.items()}


def fingerprint_of(items: Sequence[PreviewItem], dimension: str | None, grain: Grain | None) -> str:
    """Names a preview by its definitions and options, so that equal ones are one."""
    sides = [
        [
            item.key,
            str(item.grain(grain)),
            {label: hashes_of(specs) for label, specs in item.sides.items()},
        ]
        for item in items
    ]
    text = json.dumps([sorted(sides, key=lambda side: side[0]), dimension or ""], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class PreviewPoint:
    """Old and new value of one period. The difference is empty unless both are there; the
    percentage also when the old value is 0."""

    period: date
    label: str
    old: Decimal | None
    new: Decimal | None
    difference: Decimal | None
    difference_pct: Decimal | None
    is_complete: bool


@dataclass(frozen=True)
class MemberFigures:
    """How one member of the chosen dimension moves, over complete periods."""

    member: str | None
    periods: int
    old_mean: Decimal | None
    new_mean: Decimal | None
    mean_pct: Decimal | None
    widest_pct: Decimal | None

    @property
    def beyond_percent(self) -> str:
        """How it moves where no percentage can say so; empty where one does, or nothing moves."""
        if self.old_mean is None:
            return "" if self.new_mean is None else "had no value"
        if self.new_mean is None:
            return "loses its values"
        if self.mean_pct is None and self.new_mean != self.old_mean:
            return "from 0"
        return ""


@dataclass(frozen=True)
class PreviewFigures:
    """What a change does to a metric's past, over complete periods of one grain."""

    key: str
    grain: str
    dimension: str
    headline: str
    is_new: bool
    compared: int
    moved: int
    appeared: int
    vanished: int
    mean_pct: Decimal | None
    lowest: PreviewPoint | None
    highest: PreviewPoint | None
    widest: PreviewPoint | None
    points: list[PreviewPoint] = field(default_factory=list)
    members: list[MemberFigures] = field(default_factory=list)

    @property
    def is_unmoved(self) -> bool:
        return not self.is_new and not (self.moved or self.appeared or self.vanished)

    def as_json(self) -> dict:
        return json.loads(json.dumps(asdict(self), default=str))

    @classmethod
    def from_json(cls, document: dict) -> "PreviewFigures":
        ends = {name: document[name] and _point(document[name]) for name in _ENDS}
        return cls(
            **{
                **document,
                **ends,
                "mean_pct": _decimal(document["mean_pct"]),
                "points": [_point(point) for point in document["points"]],
                "members": [_member(member) for member in document["members"]],
            }
        )


_ENDS = ("lowest", "highest", "widest")


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _point(document: dict) -> PreviewPoint:
    numbers = {n: _decimal(document[n]) for n in ("old", "new", "difference", "difference_pct")}
    period = date.fromisoformat(document["period"])
    return PreviewPoint(**{**document, **numbers, "period": period})


def _member(document: dict) -> MemberFigures:
    names = ("old_mean", "new_mean", "mean_pct", "widest_pct")
    return MemberFigures(**{**document, **{name: _decimal(document[name]) for name in names}})
