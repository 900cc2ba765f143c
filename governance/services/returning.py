"""Taking a published request back, with all of its items."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from catalog.models import Version
from catalog.stewardship import Stewardship
from core.errors import WrongState
from governance import policies
from governance.content import Content, Item, read_content
from governance.models import Change, ChangeRequest
from governance.prefill import item_of
from governance.services.common import locked, permit, record
from governance.services.requests import open_request, returning_item
from governance.services.submitting import submit


@transaction.atomic
def undo(request: ChangeRequest, *, actor, via: str = "service") -> ChangeRequest:
    """Open the request that takes a published one back, all of its items together.

    It is published at once where policy asks nobody, as it was the first time. What was new is
    retired, since what was published stays on record.
    """
    request = locked(request)
    permit(policies.why_not_propose(actor))
    if why := policies.why_cannot_undo(request):
        raise WrongState(why, status=request.status)
    changes = list(
        request.changes.select_related(
            "entry__domain", "entry__current_version__definition", "version"
        )
    )
    said = {item.key: item for item in read_content(request.submitted.content).items}
    previous = _previous_versions(changes)
    content = Content(
        title=f"Undo of {request}: {request.title}"[:160],
        reason=f"Takes {request} back.",
        items=[_undone(one, said[one.key], previous.get(one.entry_id)) for one in changes],
    )
    opened = open_request(content=content.as_json(), actor=actor, via=via)
    record("undo", request, actor=actor, via=via, by=opened.pk)
    if all(need["approvals"] == 0 for need in request.submitted.requirements):
        submit(opened, lock=opened.draft.lock, actor=actor, via=via)
        opened.refresh_from_db()
    return opened


def _previous_versions(changes: Sequence[Change]) -> dict[int | None, Version]:
    """By entry, the version before the one that a change became."""
    wanted = {(change.entry_id, change.version.number - 1) for change in changes if change.version}
    rows = Version.objects.select_related("definition").filter(
        entry__in=[entry for entry, _ in wanted], number__in={number for _, number in wanted}
    )
    return {row.entry_id: row for row in rows if (row.entry_id, row.number) in wanted}


def _undone(change: Change, said: Item, previous: Version | None) -> Item:
    entry, version = change.subject, change.version
    before = change.before or {}
    if version is not None and version.number == 1:
        item = item_of(entry)
        item.lifecycle = "retired"
        return item
    item = returning_item(entry, previous or entry.shown)
    if said.stewardship is not None:
        item.stewardship = Stewardship.model_validate(before["stewardship"])
    if said.lifecycle is not None:
        item.lifecycle = before["lifecycle"]
    return item
