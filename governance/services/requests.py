"""The life of a request before and beside its review: opened, edited, split, brought up to date,
and closed without a publication."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from catalog.models import Entry, Version
from core import clock, jobs
from core.errors import Invalid, StaleRevision
from core.row_history import sign
from governance import policies
from governance.content import Content, Item, ProposedWords, read_content
from governance.models import Change, ChangeRequest, Draft
from governance.prefill import completed, item_of
from governance.services.common import locked, move, permit, record, require


@transaction.atomic
def open_request(*, content: dict, actor, via: str = "service") -> ChangeRequest:
    """Start a proposal as a draft. Its content may still be full of faults; its shape may not.

    What an item leaves out of its spec or words stays as it is in the version it starts from.
    """
    permit(policies.why_not_propose(actor))
    parsed = read_content(completed(content))
    request = _opened(parsed, actor=actor)
    record("open", request, actor=actor, via=via, items=[item.key for item in parsed.items])
    return request


def _opened(content: Content, *, actor, editors: Collection = ()) -> ChangeRequest:
    now = clock.now()
    request = ChangeRequest(
        title=content.title,
        author=actor,
        publish_when=content.publish_when,
        publish_on=content.publish_on,
        created_at=now,
    )
    sign(request, actor=actor, reason="opened")
    request.save()
    draft = Draft.objects.create(
        request=request, content=content.as_json(), saved_at=now, saved_by=actor
    )
    draft.editors.add(actor, *editors)
    _list_items(request, content)
    return request


@transaction.atomic
def save_draft(
    request: ChangeRequest, *, content: dict, lock: int, actor, via: str = "service"
) -> Draft:
    """Replace the working copy. `lock` is that of the copy which was edited.

    The second of two savers is refused and told who was first; nothing is overwritten silently.
    Saving equal content changes nothing, not even the lock. Saving other content takes a request
    in review back: what was approved was approved of another text.
    """
    request = locked(request)
    permit(policies.why_not_edit(actor, request))
    require(request, "edit")
    draft = (
        Draft.objects.select_for_update(of=("self",))
        .select_related("saved_by")
        .get(request=request)
    )
    parsed = read_content(completed(content))
    if parsed.as_json() == draft.content:
        return draft
    if draft.lock != lock:
        raise StaleRevision(
            f"{draft.saved_by} saved this draft while you were editing. Nothing of yours is saved "
            "yet: compare the two, then save again.",
            lock=draft.lock,
            saved_by=str(draft.saved_by),
            saved_at=draft.saved_at.isoformat(),
            content=draft.content,
        )
    write_draft(request, draft, parsed, actor=actor, via=via)
    return draft


def write_draft(request: ChangeRequest, draft: Draft, content: Content, *, actor, via: str) -> None:
    """Make content the working copy of a locked request, and its writer a co-editor.

    What is in review is taken back by it.
    """
    draft.content = content.as_json()
    draft.lock += 1
    draft.saved_at, draft.saved_by = clock.now(), actor
    draft.save()
    draft.editors.add(actor)
    _list_items(request, content)
    header: dict[str, Any] = {
        "title": content.title,
        "publish_when": content.publish_when,
        "publish_on": content.publish_on,
    }
    is_header_new = any(getattr(request, name) != value for name, value in header.items())
    if request.is_in_review:
        move(request, "take_back", actor=actor, **header)
        record("take_back", request, actor=actor, via=via, revision=request.submitted.number)
    elif is_header_new:
        move(request, "edit", actor=actor, **header)


def _list_items(request: ChangeRequest, content: Content) -> None:
    """Keep one Change an item, so that requests can be found by what they are about."""
    wanted = {item.key: item for item in content.items}
    entries = dict(Entry.objects.filter(key__in=wanted).values_list("key", "pk"))
    held = {change.key: change for change in request.changes.all()}
    for key, change in held.items():
        if key not in wanted:
            change.delete()
        elif change.kind != wanted[key].kind or change.entry_id != entries.get(key):
            change.kind, change.entry_id = wanted[key].kind, entries.get(key)
            change.save(update_fields=["kind", "entry"])
    Change.objects.bulk_create(
        [
            Change(request=request, key=key, kind=item.kind, entry_id=entries.get(key))
            for key, item in wanted.items()
            if key not in held
        ],
        batch_size=1000,
    )


@transaction.atomic
def split_request(
    request: ChangeRequest, *, keys: Collection[str], actor, via: str = "service"
) -> ChangeRequest:
    """Move some items into a request of their own, so that what is harmless need not wait.

    Both keep their authors and co-editors: what was written by whom does not change by it.
    """
    request = locked(request)
    permit(policies.why_not_edit(actor, request))
    require(request, "edit")
    draft = Draft.objects.select_for_update().get(request=request)
    content = read_content(draft.content)
    moved = [item for item in content.items if item.key in set(keys)]
    if unknown := sorted(set(keys) - {item.key for item in content.items}):
        raise Invalid(f"“{unknown[0]}” is not in {request}.", problems=[], unknown=unknown)
    if not moved or len(moved) == len(content.items):
        raise Invalid("Choose some of the items, and leave at least one.", problems=[])
    names = ", ".join(item.words.name or item.key for item in moved[:3])
    part = content.model_copy(update={"items": moved, "title": f"{names} (from {request})"[:160]})
    rest = [item for item in content.items if item.key not in set(keys)]
    # The co-editors of both are all who wrote in the one before it was split.
    editors = [request.author, *draft.editors.all()]
    write_draft(request, draft, content.model_copy(update={"items": rest}), actor=actor, via=via)
    split = _opened(part, actor=request.author, editors=[*editors, actor])
    record("split", request, actor=actor, via=via, into=split.pk, items=sorted(keys))
    record("open", split, actor=actor, via=via, items=sorted(keys), split_from=request.pk)
    return split


@transaction.atomic
def rebase(
    request: ChangeRequest,
    *,
    actor,
    theirs: Collection[str] = (),
    via: str = "service",
) -> tuple[Draft, list[str]]:
    """Bring a draft up to the versions in force, field by field.

    What only the other side changed is taken over; what only this request changed stays; where
    both changed a field, this request's text stays, unless its place is among `theirs`. The
    second value names these places, for a person to look at. The result has to be submitted, and
    approved, anew.
    """
    request = locked(request)
    permit(policies.why_not_edit(actor, request))
    require(request, "edit")
    draft = Draft.objects.select_for_update().get(request=request)
    content = read_content(draft.content)
    versions = _history_of(content)
    clashes: list[str] = []
    for item in content.items:
        if item.key in versions:
            clashes += _rebase_item(item, versions[item.key], set(theirs))
    content.stands_on, content.cards = {}, {}
    write_draft(request, draft, content, actor=actor, via=via)
    record("rebase", request, actor=actor, via=via, clashes=clashes)
    return draft, clashes


def _history_of(content: Content) -> dict[str, dict[int, Version]]:
    """The versions of every entry that a request is about, by key and number."""
    found: dict[str, dict[int, Version]] = {}
    rows = Version.objects.filter(entry__key__in=[item.key for item in content.items])
    for version in rows.select_related("entry", "definition").order_by("number"):
        found.setdefault(version.entry.key, {})[version.number] = version
    return found


def _rebase_item(item: Item, versions: dict[int, Version], theirs: set[str]) -> list[str]:
    current = versions[max(versions)]
    base = versions.get(item.base) if item.base else None
    clashes = []
    for name, before, other in (
        ("spec", base.definition.spec if base else {}, current.definition.spec),
        ("words", base.words if base else {}, current.words),
    ):
        mine = item.model_dump(mode="json")[name]
        merged, both = _merged(before, other, mine)
        for field in both:
            place = f"items.{item.key}.{name}.{field}"
            clashes.append(place)
            if place in theirs:
                merged[field] = other.get(field)
        setattr(item, name, ProposedWords.model_validate(merged) if name == "words" else merged)
    item.base = current.number
    item.definition = ""
    return clashes


def _merged(base: dict, theirs: dict, mine: dict) -> tuple[dict, list[str]]:
    """A three-way merge of documents by their top-level fields."""
    merged, clashes = dict(mine), []
    for name in {*base, *theirs, *mine}:
        before, other, own = base.get(name), theirs.get(name), mine.get(name)
        if own == before:
            if name in theirs:
                merged[name] = other
            else:
                merged.pop(name, None)
        elif other not in (before, own):
            clashes.append(name)
    return merged, sorted(clashes)


@transaction.atomic
def withdraw(request: ChangeRequest, *, actor, reason: str = "", via: str = "service"):
    """The author takes the proposal back for good."""
    request = locked(request)
    permit(policies.why_not_withdraw(actor, request))
    require(request, "withdraw")
    move(request, "withdraw", actor=actor, closing_reason=reason)
    record("withdraw", request, actor=actor, via=via, reason=reason)
    return request


@transaction.atomic
def reject(request: ChangeRequest, *, reason: str, actor, via: str = "service") -> ChangeRequest:
    """A steward closes the request for good, and says why."""
    request = locked(request)
    permit(policies.why_not_reject(actor, request))
    require(request, "reject")
    if not reason.strip():
        raise Invalid("Say why it is rejected: its author should be able to do better.")
    move(request, "reject", actor=actor, closing_reason=reason)
    record("reject", request, actor=actor, via=via, reason=reason)
    jobs.ring("governance.tasks.tell_of_closing", request.pk)
    return request


@transaction.atomic
def back_to(
    version: Version, *, actor, reason: str = "", when: str = "approved", via: str = "service"
) -> ChangeRequest:
    """Open the request that puts an earlier version's content into force again."""
    entry = Entry.objects.select_related("current_version__definition").get(pk=version.entry_id)
    if version.pk == entry.current_version_id:
        raise Invalid(f"{version} is in force already.", problems=[])
    content = Content(
        title=f"Back to {version}",
        reason=reason or f"Put into force again what {version} said.",
        publish_when=when,
        items=[returning_item(entry, version)],
    )
    return open_request(content=content.as_json(), actor=actor, via=via)


def returning_item(entry: Entry, version: Version) -> Item:
    """An item that puts an earlier version's content into force again."""
    item = item_of(entry, version)
    if entry.kind == "metric" and version.definition_id != entry.shown.definition_id:
        item.treatment = "restate"
    return item
