"""What a restating change does to the past: asked of measurement, bound to definitions.

Evidence hangs on the hashes of the old and new definitions. An edit changes the hash and so
needs other evidence; nothing here can go stale.
"""

from __future__ import annotations

from catalog.choices import Kind, Lifecycle, Tier
from catalog.selectors.entries import around
from governance.assessment import MOVING, Assessment
from measurement.previews import PreviewItem
from measurement.selectors.previews import PreviewRun, preview_of
from semantics.definition import DatasetSpec
from semantics.lineage import closure
from semantics.problems import DefinitionRefused

# Of new metrics and of those above, the figures of more than this are computed on demand, not
# before a publish. What a request itself may move is never left out.
MOST_COMPARED = 20


def preview_items(assessment: Assessment) -> list[PreviewItem]:
    """The metrics whose past a request may move: its own and those above, nearest first.

    New metrics are among them, so that their values are seen before they are decided on.
    """
    after = assessment.specs_after()
    own = [
        one
        for one in assessment.items
        if one.kind == Kind.METRIC and one.key in assessment.proposed
    ]
    keys = [one.key for one in own if MOVING & set(one.classes) and not one.is_new]
    beside = [one.key for one in own if one.is_new] + [
        found.key
        for found in assessment.affected
        if found.kind == Kind.METRIC and found.lifecycle != Lifecycle.RETIRED
    ]
    keys += beside[: max(0, MOST_COMPARED - len(keys))]
    found = []
    datasets = {key: spec for key, spec in after.items() if isinstance(spec, DatasetSpec)}
    for key in keys:
        try:
            new = closure(key, around(key, after, datasets))
        except DefinitionRefused:
            continue  # It cannot be computed; the assessment's problems say so.
        standing = assessment.standing
        old = closure(key, standing.around(key)) if key in standing.specs else None
        found.append(PreviewItem(key, old, new))
    return found


def needs_evidence(assessment: Assessment) -> bool:
    """Whether past values of something reviewed may move: then a finished preview must be there."""
    moving = [one for one in assessment.items if MOVING & set(one.classes) and not one.is_new]
    return any(one.tier != Tier.LOCAL for one in moving)


def evidence_of(assessment: Assessment, *, dimension: str | None = None) -> PreviewRun | None:
    items = preview_items(assessment)
    return preview_of(items, dimension=dimension) if items else None
