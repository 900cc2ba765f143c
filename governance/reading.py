"""All that a reviewer reads of one request before deciding, put together once: what differs,
what it does to the past, what stands on it, what is still missing, and who said what."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalog.models import Version
from catalog.selectors.entries import Dependant
from core.models import AuditEvent
from governance.approvals import Standing, standings
from governance.assessment import assess
from governance.content import Content, Item, read_content
from governance.models import ChangeRequest
from governance.readiness import Readiness, readiness_of
from measurement.previews import PreviewFigures
from semantics.card import Words
from semantics.definition import read_spec
from semantics.diff import Difference, differences, word_differences

# A request may change thousands of entries; a page shows the first of them.
MOST_ITEMS = 40
MOST_CHARTS = 6
MOST_POINTS = 10


@dataclass(frozen=True)
class ItemRead:
    """One item with its differences in words."""

    key: str
    name: str
    kind: str
    base: int | None
    change_class: str
    reason: str
    treatment: str
    spec_differences: list[Difference]
    word_differences: list[Difference]
    card_differences: list[Difference] = field(default_factory=list)

    @property
    def is_unchanged(self) -> bool:
        return not (self.spec_differences or self.word_differences or self.card_differences)


@dataclass(frozen=True)
class FiguresRead:
    """What a preview found for one metric: the headline, a chart, and its last periods."""

    figures: PreviewFigures
    unit: dict
    spec: dict | None

    @property
    def key(self) -> str:
        return self.figures.key

    @property
    def last_points(self):
        return list(reversed(self.figures.points[-MOST_POINTS:]))


@dataclass(frozen=True)
class Reading:
    """One request as a reviewer reads it. A closed one has no readiness: it was decided."""

    request: ChangeRequest
    content: Content
    items: list[ItemRead]
    more_items: int
    readiness: Readiness | None
    figures: list[FiguresRead]
    more_figures: int
    impact: list[Dependant]
    versions: list[Version]
    timeline: list[AuditEvent]


def read(request: ChangeRequest) -> Reading:
    """Read the revision at hand. Writes nothing and starts nothing."""
    content = read_content(request.revision.content)
    shown = content.items[:MOST_ITEMS]
    readiness, figures, impact = None, {}, []
    if request.is_open:
        assessment = assess(content)
        readiness = readiness_of(request, content, assessment)
        run = readiness.evidence
        figures, impact = run.figures if run else {}, assessment.affected
        items = [
            ItemRead(
                key=one.key,
                name=one.name,
                kind=one.kind,
                base=content.item(one.key).base,
                change_class=str(one.change_class or ""),
                reason=one.reason,
                treatment=content.item(one.key).treatment,
                spec_differences=one.spec_differences,
                word_differences=one.word_differences,
                card_differences=one.card_differences,
            )
            for one in assessment.items[:MOST_ITEMS]
        ]
    else:
        items = _decided(request, shown)
    units = {item.key: item.words.unit.model_dump() for item in content.items}
    charts = [_figures(one, units.get(key, {})) for key, one in list(figures.items())[:MOST_CHARTS]]
    return Reading(
        request=request,
        content=content,
        items=items,
        more_items=len(content.items) - len(shown),
        readiness=readiness,
        figures=charts,
        more_figures=max(0, len(figures) - MOST_CHARTS),
        impact=impact,
        versions=list(
            Version.objects.filter(change__request=request).select_related("entry")[:MOST_ITEMS]
        ),
        timeline=list(
            AuditEvent.objects.filter(
                subject_type=request._meta.label_lower, subject_id=str(request.pk)
            )[:100]
        ),
    )


def _decided(request: ChangeRequest, items: list[Item]) -> list[ItemRead]:
    """A closed request against what it started from, whatever is in force by now."""
    needs = {need["key"]: need["change_class"] for need in request.revision.requirements}
    bases = {
        version.entry.key: version
        for version in Version.objects.filter(
            entry__key__in=[item.key for item in items]
        ).select_related("entry", "definition")
        if any(version.entry.key == item.key and version.number == item.base for item in items)
    }
    found = []
    for item in items:
        base = bases.get(item.key)
        spec = read_spec(item.spec) if item.spec else None
        old_spec = read_spec(base.definition.spec) if base else None
        old_words = Words.model_validate(base.words) if base else None
        found.append(
            ItemRead(
                key=item.key,
                name=item.words.name,
                kind=item.kind,
                base=item.base,
                change_class=needs.get(item.key, ""),
                reason="",
                treatment=item.treatment,
                spec_differences=differences(old_spec, spec) if spec else [],
                word_differences=word_differences(old_words, item.words),
            )
        )
    return found


def _figures(one: PreviewFigures, unit: dict) -> FiguresRead:
    series = [{"label": "Proposed", "style": "", "points": _line(one, "new")}]
    if not one.is_new:
        series.append({"label": "In force", "style": "old", "points": _line(one, "old")})
    spec = {
        "title": f"{one.key}: proposed and in force",
        "grain": one.grain,
        "unit": unit,
        "series": series,
        "incomplete": bool(one.points) and not one.points[-1].is_complete,
    }
    return FiguresRead(one, unit, spec if one.points else None)


def _line(one: PreviewFigures, side: str) -> list[tuple]:
    return [
        (point.period, None if (number := getattr(point, side)) is None else float(number))
        for point in one.points
    ]


def approvals_of(request: ChangeRequest) -> str:
    """“1/2”: approvals given of those asked for, of the item that is furthest from having them."""
    found = standings(request)
    if not found:
        return ""
    least: Standing = max(
        found,
        key=lambda one: (one.missing_approvals + one.missing_stewards, one.requirement.approvals),
    )
    if not least.requirement.approvals:
        return "none needed"
    given = min(len(least.approvers), least.requirement.approvals)
    steward = ", steward missing" if least.missing_stewards and not least.missing_approvals else ""
    return f"{given}/{least.requirement.approvals}{steward}"
