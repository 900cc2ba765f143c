"""Asking for what a proposal does to the past."""

from __future__ import annotations

from core.errors import Invalid
from governance.assessment import assess
from governance.content import Content
from measurement.models import Backfill
from measurement.previews import PreviewItem
from measurement.services.previews import request_preview


def compared(content: Content) -> list[PreviewItem]:
    """What a preview of a proposal computes. Raises Invalid with the reasons why nothing can be."""
    assessment = assess(content)
    items = assessment.preview_items if assessment.is_computable else []
    if not items:
        problems = [problem.as_dict() for problem in assessment.blocking]
        raise Invalid(
            problems[0]["message"] if problems else "Nothing in this request moves a value.",
            problems=problems,
        )
    return items


def ask_for_preview(
    content: Content, *, actor, dimension: str | None = None, via: str = "service"
) -> Backfill:
    """Compute old and new values in total, which is the evidence, and by a dimension if one is
    named. Returns the run that was asked for: the one by the dimension, else the one in total."""
    items = compared(content)
    run = request_preview(items, actor=actor, via=via)
    if dimension:
        run = request_preview(items, actor=actor, dimension=dimension, via=via)
    return run
