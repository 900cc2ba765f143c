"""How much of a request a page shows, and the figures of its preview as charts.

The web page, the editor and the admin show the same of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import Any

from accounts.models import User
from catalog.models import Entry
from governance.approvals import standings
from governance.assessment import Assessment
from governance.choices import PublishWhen
from governance.content import Content
from governance.models import ChangeRequest
from governance.request_page import PageItem, RequestPage, TimelineEntry, request_page
from measurement.policies import why_not_operate
from measurement.previews import MemberFigures, PreviewFigures, PreviewPoint, askable_by
from measurement.selectors.previews import PreviewRun, preview_of
from semantics.card import Words
from semantics.diff import ChangeClass

# A request may change thousands of entries; a page shows so many of them, the weightiest first.
MOST_ITEMS = 40
MOST_CHARTS = 6
MOST_POINTS = 10
MOST_DEEDS = 100
_DONE = {
    "open": "opened it",
    "submit": "submitted r{revision}",
    "approve": "approved r{revision}",
    "request_changes": "asked for changes on r{revision}",
    "comment": "commented",
    "comment_resolved": "settled a comment",
    "comment_reopened": "opened a settled comment again",
    "publish": "published {versions}",
    "schedule": "scheduled it for {on}",
    "take_back": "took r{revision} back to edit",
    "withdraw": "withdrew it",
    "reject": "rejected it",
    "rebase": "updated it to what is in force",
    "split": "moved {items} to CR-{into}",
    "undo": "asked to take it back, by CR-{by}",
}


@dataclass(frozen=True)
class FiguresRead:
    """What a preview found for one metric: the headline, old and new as a chart and their
    difference in percent as another, the last periods, and how each member of the dimension moves,
    if one was asked for."""

    figures: PreviewFigures
    name: str
    unit: dict
    spec: dict | None
    change_spec: dict | None = None

    @property
    def key(self) -> str:
        return self.figures.key

    @property
    def last_points(self):
        return list(reversed(self.figures.points[-MOST_POINTS:]))

    @property
    def members(self) -> list[tuple[MemberFigures, float]]:
        """Each member with its mean change as a share, from -1 to 1, of the widest among them.
        Those that move most come first, before all what moves by no percentage: a member that is
        filtered out is what the change is about. Then come the largest."""
        widest = max(map(_swing, self.figures.members), default=Decimal(0))
        return [
            (one, float((one.mean_pct or 0) / widest) if widest else 0.0)
            for one in sorted(self.figures.members, key=_how_far, reverse=True)
        ]


def _swing(one: MemberFigures) -> Decimal:
    return abs(one.mean_pct or Decimal(0))


def _how_far(one: MemberFigures) -> tuple[bool, Decimal]:
    return bool(one.beyond_percent), _swing(one)


@dataclass(frozen=True)
class Past:
    """What a proposal does to the past: in total, which is its evidence, and by a dimension.

    `run` and `run_by` are None where nobody has asked for them yet. Of `others` the name and the
    headline are shown, without charts; of `more` neither.
    """

    can_be_computed: bool = False
    run: PreviewRun | None = None
    figures: list[FiguresRead] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0
    dimensions: list[str] = field(default_factory=list)
    by: str = ""
    run_by: PreviewRun | None = None
    figures_by: list[FiguresRead] = field(default_factory=list)

    @property
    def under_way(self) -> PreviewRun | None:
        """The run that a reader waits for."""
        runs = [one for one in (self.run, self.run_by) if one and one.is_under_way]
        return runs[0] if runs else None

    @property
    def failed(self) -> PreviewRun | None:
        runs = [one for one in (self.run, self.run_by) if one and not one.figures]
        return None if self.under_way or not runs else runs[0]


@dataclass(frozen=True)
class Happened:
    """One line of the timeline: “Ben approved r2”."""

    did: str
    deed: TimelineEntry

    @property
    def verb(self) -> str:
        return self.deed.action.removeprefix("change.")


@dataclass(frozen=True)
class Reading:
    """One request as somebody reads it. A closed one has no readiness: it was decided.

    `items` are those of the part at hand; every item is in one of the `parts`.
    """

    page: RequestPage
    items: list[PageItem]
    part: int
    parts: int
    past: Past
    timeline: list[Happened]

    @property
    def more_items(self) -> int:
        """How many there are beside those of this part."""
        return len(self.page.items) - len(self.items)

    @property
    def is_due(self) -> bool:
        """Nothing is missing, and a worker publishes it by itself."""
        ready = self.page.readiness
        by_itself = self.page.content.publish_when == PublishWhen.APPROVED
        return ready is not None and ready.is_ready and self.page.request.is_open and by_itself

    @property
    def part_before(self) -> int | None:
        return self.part - 1 if self.part > 1 else None

    @property
    def part_after(self) -> int | None:
        return self.part + 1 if self.part < self.parts else None

    @property
    def versions(self) -> list:
        return [item.version for item in self.items if item.version]


def read(request: ChangeRequest, user: User, *, by: str = "", part: int = 1) -> Reading:
    """Read the revision at hand, its past by a dimension too. Writes nothing, starts nothing.

    What weighs most is read first, wherever its author put it: nobody hides a change behind forty
    harmless ones. A part that there is not is the nearest one.
    """
    page = request_page(request, user)
    parts = max(1, ceil(len(page.items) / MOST_ITEMS))
    part = min(max(part, 1), parts)
    heaviest_first = sorted(page.items, key=_weight, reverse=True)
    return Reading(
        page=page,
        items=heaviest_first[(part - 1) * MOST_ITEMS : part * MOST_ITEMS],
        part=part,
        parts=parts,
        past=past_of(page.assessment, page.content, page.evidence, by=by)
        if page.assessment
        else _past(page.content, page.evidence),
        timeline=[_happened(deed) for deed in reversed(page.timeline[-MOST_DEEDS:])],
    )


_WEIGHTS = {str(name): weight for weight, name in enumerate(ChangeClass, start=1)}


def _weight(row: PageItem) -> int:
    return _WEIGHTS.get(row.change_class, 0)


def past_of(
    assessment: Assessment, content: Content, run: PreviewRun | None, *, by: str = ""
) -> Past:
    """The past of a proposal whose evidence is `run`. A dimension it cannot be asked by is none."""
    items = assessment.preview_items if assessment.is_computable else []
    dimensions = askable_by(items[:MOST_CHARTS])
    by = by if by in dimensions else ""
    run_by = preview_of(items, dimension=by) if by else None
    return _past(
        content, run, can_be_computed=bool(items), dimensions=dimensions, by=by, run_by=run_by
    )


def _past(
    content: Content, run: PreviewRun | None, *, run_by: PreviewRun | None = None, **more: Any
) -> Past:
    figures = run.figures if run else {}
    figures_by = run_by.figures if run_by else {}
    beside = list(figures)[MOST_CHARTS : MOST_CHARTS + MOST_ITEMS]
    shown = [*list(figures)[:MOST_CHARTS], *beside, *list(figures_by)[:MOST_CHARTS]]
    words = _words(content, shown)
    return Past(
        run=run,
        figures=[_figures(one, words[one.key]) for one in list(figures.values())[:MOST_CHARTS]],
        others=[(words[key].name or key, figures[key].headline) for key in beside],
        more=max(0, len(figures) - MOST_CHARTS - MOST_ITEMS),
        run_by=run_by,
        figures_by=[
            _figures(one, words[one.key]) for one in list(figures_by.values())[:MOST_CHARTS]
        ],
        **more,
    )


def why_not_cancel(user: User, past: Past) -> str | None:
    """Why somebody may not end the preview that is waited for."""
    return why_not_operate(user, past.under_way.backfill) if past.under_way else None


def _words(content: Content, keys: list[str]) -> Mapping[str, Words]:
    """The proposed words of each key, else those in force."""
    proposed = {item.key: item.words for item in content.items}
    rows = Entry.objects.filter(key__in=set(keys) - set(proposed)).select_related("current_version")
    standing = {
        entry.key: Words.model_validate(entry.current_version.words)
        for entry in rows
        if entry.current_version
    }
    return {**standing, **proposed}


def _happened(deed: TimelineEntry) -> Happened:
    verb = deed.action.removeprefix("change.")
    detail = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in deed.detail.items()
    }
    said = _DONE.get(verb, verb.replace("_", " "))
    try:
        return Happened(said.format(**detail), deed)
    except KeyError:  # An event of before its detail said that.
        return Happened(said.split("{")[0].strip().removesuffix(" r"), deed)


def _figures(one: PreviewFigures, words: Words) -> FiguresRead:
    """The charts of complete periods: one that is not over is no lower for it."""
    unit = words.unit.model_dump()
    name = words.name or one.key
    points = [point for point in one.points if point.is_complete]
    if not points:
        return FiguresRead(one, name, unit, None)
    series = [{"label": "Proposed", "style": "", "points": _line(points, "new")}]
    if one.is_new:
        spec = {"title": f"{name}: proposed", "grain": one.grain, "unit": unit, "series": series}
        return FiguresRead(one, name, unit, spec)
    series.append({"label": "In force", "style": "old", "points": _line(points, "old")})
    title = f"{name}: proposed and in force"
    spec = {"title": title, "grain": one.grain, "unit": unit, "series": series}
    moved = _line(points, "difference_pct")
    change_spec = {
        "title": f"{name}: difference",
        "kind": "bars",
        "grain": one.grain,
        "unit": {"kind": "percentage", "decimals": 1},
        "series": [{"label": "Difference", "style": "", "points": moved}],
    }
    is_moved = any(number for _, number in moved)
    return FiguresRead(one, name, unit, spec, change_spec if is_moved else None)


def _line(points: list[PreviewPoint], side: str) -> list[tuple]:
    return [
        (point.period, None if (number := getattr(point, side)) is None else float(number))
        for point in points
    ]


def approvals_of(request: ChangeRequest) -> str:
    """“1/2”: approvals given of those asked for, of the item that is furthest from having them."""
    found = standings(request)
    if not found:
        return ""
    least = max(
        found,
        key=lambda one: (one.missing_approvals + one.missing_stewards, one.requirement.approvals),
    )
    if not least.requirement.approvals:
        return "none needed"
    given = min(len(least.approvers), least.requirement.approvals)
    steward = ", steward missing" if least.missing_stewards and not least.missing_approvals else ""
    return f"{given}/{least.requirement.approvals}{steward}"
