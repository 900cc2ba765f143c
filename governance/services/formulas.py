"""A typed formula, written into a draft as the metrics that it stands for."""

from __future__ import annotations

from django.db import transaction

from governance import policies
from governance.content import read_content
from governance.formulas import TypedFormula, taken_apart
from governance.models import ChangeRequest, Draft
from governance.services.common import locked, permit, require
from governance.services.requests import save_draft


@transaction.atomic
def apply_formula(
    request: ChangeRequest,
    *,
    key: str,
    formula: str,
    lock: int,
    actor,
    dataset: str = "",
    via: str = "service",
) -> TypedFormula:
    """Make a typed formula the definition of one item of the draft.

    Parts that the catalog has are used by their keys; the others become new items of the same
    request, with the item's domain, tier and people. `lock` is that of the draft that was read.
    Raises Invalid with every reason why the formula cannot be; then nothing is written. Applied
    again, it changes nothing.
    """
    request = locked(request)
    permit(policies.why_not_edit(actor, request))
    require(request, "edit")
    draft = Draft.objects.get(request=request)
    found = taken_apart(read_content(draft.content), key=key, formula=formula, dataset=dataset)
    save_draft(request, content=found.content.as_json(), lock=lock, actor=actor, via=via)
    return found
