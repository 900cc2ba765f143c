"""What still stands between a request and its publication, line by line.

The publish itself refuses by these lines, evaluated under its lock, and the request page shows
the same ones: there is one place that decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.choices import Tier
from core import clock
from governance.approvals import Standing, candidates_for, standings
from governance.assessment import Assessment
from governance.content import Content, hash_of_card
from governance.evidence import evidence_of, needs_evidence
from governance.models import ChangeRequest
from measurement.selectors.previews import PreviewRun


@dataclass(frozen=True)
class Line:
    """One condition. `state` is ok, missing (somebody can still do it) or blocked."""

    name: str
    state: str
    sentence: str
    who: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        return self.state == "ok"


@dataclass(frozen=True)
class Readiness:
    lines: list[Line]
    standings: list[Standing]
    evidence: PreviewRun | None

    @property
    def is_ready(self) -> bool:
        return bool(self.lines) and all(line.is_ok for line in self.lines)

    @property
    def why_not(self) -> str:
        """The first unmet line, as the reason that the button gives."""
        return next((line.sentence for line in self.lines if not line.is_ok), "")

    @property
    def met(self) -> int:
        return sum(line.is_ok for line in self.lines)


def readiness_of(request: ChangeRequest, content: Content, assessment: Assessment) -> Readiness:
    """All lines, unmet ones first."""
    found = standings(request)
    evidence = evidence_of(assessment)
    lines = [
        _definitions(assessment),
        *moved_on(content, assessment),
        *_tiers(found, assessment),
        *_evidence(assessment, evidence),
        *_approvals(found, request),
        *_date(content),
    ]
    if request.revision is None:
        lines.append(Line("submitted", "missing", "It was not submitted for review yet."))
    elif not found:
        lines.append(Line("approvals", "blocked", "No approval policy covers this request."))
    order = {"blocked": 0, "missing": 1, "ok": 2}
    return Readiness(sorted(lines, key=lambda line: order[line.state]), found, evidence)


def _definitions(assessment: Assessment) -> Line:
    if assessment.blocking:
        return Line("definitions", "blocked", assessment.blocking[0].message)
    return Line("definitions", "ok", "Every definition can be computed, and nothing above breaks.")


def moved_on(content: Content, assessment: Assessment) -> list[Line]:
    """Whether everything that the request started from and stands on is still in force."""
    standing = assessment.standing
    found = []
    for item in content.items:
        current = standing.numbers.get(item.key)
        if item.base != current and (item.base is not None or item.definition):
            was = f"{item.key}@{item.base}" if item.base else f"no {item.key}"
            now = f"{item.key}@{current}" if current else f"no {item.key}"
            found.append(_stale(f"it started from {was}, and now there is {now}"))
    for key, digest in content.stands_on.items():
        if key in standing.hashes and standing.hashes[key] != digest:
            now = f"{key}@{standing.numbers[key]}"
            found.append(_stale(f"it stands on {key}, which has become {now}"))
    for key, digest in content.cards.items():
        entry = assessment.item(key).entry
        if entry is not None and hash_of_card(entry) != digest:
            found.append(_stale(f"who answers for {key}, or its lifecycle, has changed"))
    return found or [Line("base", "ok", "It starts from the versions in force.")]


def _tiers(found: list[Standing], assessment: Assessment) -> list[Line]:
    """What was asked for at the submit is too little when a tier has become stricter since."""
    asked: dict[str, int] = {}
    for one in found:
        need = one.requirement
        asked[need.key] = max(need.tier, asked.get(need.key, 0))
    return [
        _stale(f"{key} is decided on {Tier(assessment.item(key).tier).label} now")
        for key, tier in sorted(asked.items())
        if key in assessment.by_key and tier > assessment.item(key).tier
    ]


def _stale(what: str) -> Line:
    return Line("base", "blocked", f"Out of date: {what}. Update it, then have it approved again.")


def _evidence(assessment: Assessment, run: PreviewRun | None) -> list[Line]:
    if not assessment.preview_items:
        return []
    if run is not None and run.state == "done":
        headlines = [one.headline for one in run.figures.values() if one.headline]
        sentence = headlines[0] if headlines else "The preview of these definitions is done."
        return [Line("preview", "ok", sentence)]
    if not needs_evidence(assessment):
        return []
    if run is None:
        return [Line("preview", "missing", "No preview of exactly these definitions was run.")]
    if run.is_under_way:
        share = f"{run.progress:.0%}".replace("%", " %")
        return [Line("preview", "missing", f"The preview is under way ({share}).")]
    because = f": {run.error}" if run.error else "."
    return [Line("preview", "blocked", f"The preview did not end{because} Run it again.")]


def _approvals(found: list[Standing], request: ChangeRequest) -> list[Line]:
    missing = [one.requirement for one in found if not one.is_met]
    candidates = candidates_for(missing) if missing else None
    return [_approval(one, request, candidates) for one in found]


def _approval(one: Standing, request: ChangeRequest, candidates) -> Line:
    need = one.requirement
    given = ", ".join(str(person) for person in one.approvers)
    if one.is_met:
        if not need.approvals:
            sentence = f"{need.key}: policy asks for no approval of this class on this tier."
        else:
            sentence = f"{need.key}: approved by {given}."
        return Line("approvals", "ok", sentence)
    without = {person.pk for person in one.approvers} | set(request.submitted.editors)
    if one.missing_approvals:
        missing = f"{len(one.approvers)} of {need.approvals} approvals"
        if given:
            missing += f" ({given})"
        if one.missing_stewards:
            whom = "a steward or owner" if need.owner_counts else "a steward"
            missing += f"; one by {whom} is among those missing"
    else:
        whom = "a steward or owner" if need.owner_counts else "a steward"
        missing = f"approved by {given}; an approval by {whom} is missing"
    people = tuple(str(person) for person in candidates(need, without))
    if not people:
        return Line(
            "approvals",
            "blocked",
            f"{need.key}: {missing}. Nobody else may approve it: ask an admin to grant the role.",
        )
    return Line("approvals", "missing", f"{need.key}: {missing}.", people)


def _date(content: Content) -> list[Line]:
    if content.publish_when != "date" or content.publish_on is None:
        return []
    if content.publish_on <= clock.today():
        return [Line("date", "ok", f"Its day, {content.publish_on}, has come.")]
    return [Line("date", "missing", f"It is to be published on {content.publish_on}.")]
