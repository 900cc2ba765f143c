"""What a restating change does to the past: asked of measurement, bound to definitions.

Evidence hangs on the hashes of the old and new definitions. An edit changes the hash and so
needs other evidence; nothing here can go stale.
"""

from __future__ import annotations

from catalog.choices import Tier
from governance.assessment import MOVING, Assessment
from measurement.selectors.previews import PreviewRun, preview_of


def needs_evidence(assessment: Assessment) -> bool:
    """Whether past values of something reviewed may move: then a finished preview must be there."""
    moving = [one for one in assessment.items if MOVING & set(one.classes) and not one.is_new]
    return any(one.tier != Tier.LOCAL for one in moving)


def evidence_of(assessment: Assessment, *, dimension: str | None = None) -> PreviewRun | None:
    items = assessment.preview_items
    return preview_of(items, dimension=dimension) if items else None
