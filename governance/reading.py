"""How much of a request one page of the admin shows, and the figures of its preview as charts."""

from __future__ import annotations

from dataclasses import dataclass

from governance.approvals import standings
from governance.models import ChangeRequest
from governance.request_page import PageItem, RequestPage, TimelineEntry, request_page
from measurement.previews import PreviewFigures

# A request may change thousands of entries; a page shows the first of them.
MOST_ITEMS = 40
MOST_CHARTS = 6
MOST_POINTS = 10
MOST_DEEDS = 100
_DONE = {
    "open": "opened it",
    "submit": "submitted",
    "approve": "approved",
    "request_changes": "asked for changes on",
    "comment": "commented on",
    "publish": "published",
    "schedule": "scheduled",
    "take_back": "took back to edit",
    "withdraw": "withdrew it",
    "reject": "rejected it",
    "rebase": "updated it to what is in force",
}


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
class Happened:
    """One line of the timeline: “Ben approved r2”."""

    did: str
    deed: TimelineEntry


@dataclass(frozen=True)
class Reading:
    """One request as a reviewer reads it. A closed one has no readiness: it was decided."""

    page: RequestPage
    items: list[PageItem]
    more_items: int
    figures: list[FiguresRead]
    more_figures: int
    timeline: list[Happened]

    @property
    def versions(self) -> list:
        return [item.version for item in self.items if item.version]


def read(request: ChangeRequest, user) -> Reading:
    """Read the revision at hand. Writes nothing and starts nothing."""
    page = request_page(request, user)
    figures = page.evidence.figures if page.evidence else {}
    units = {item.key: item.words.unit.model_dump() for item in page.content.items}
    return Reading(
        page=page,
        items=page.items[:MOST_ITEMS],
        more_items=max(0, len(page.items) - MOST_ITEMS),
        figures=[
            _figures(one, units.get(key, {})) for key, one in list(figures.items())[:MOST_CHARTS]
        ],
        more_figures=max(0, len(figures) - MOST_CHARTS),
        timeline=[_happened(deed) for deed in reversed(page.timeline[-MOST_DEEDS:])],
    )


def _happened(deed: TimelineEntry) -> Happened:
    verb = deed.action.removeprefix("change.")
    did = _DONE.get(verb, verb.replace("_", " "))
    if not did.endswith((" it", "in force")) and "revision" in deed.detail:
        did = f"{did} r{deed.detail['revision']}"
    return Happened(did, deed)


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
    least = max(
        found,
        key=lambda one: (one.missing_approvals + one.missing_stewards, one.requirement.approvals),
    )
    if not least.requirement.approvals:
        return "none needed"
    given = min(len(least.approvers), least.requirement.approvals)
    steward = ", steward missing" if least.missing_stewards and not least.missing_approvals else ""
    return f"{given}/{least.requirement.approvals}{steward}"
