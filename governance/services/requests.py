"""The life of a request before and beside its review: open, edit, withdraw, reject, re-base."""

from __future__ import annotations

from django.db import transaction

from catalog.models import Entry, Version
from core import clock, jobs
from core.errors import Invalid, StaleRevision
from governance import policies
from governance.content import Content, Item, read_content
from governance.models import Change, ChangeRequest, Comment, Draft
from governance.services.common import locked, move, permit, record, require
from semantics.card import Words


@transaction.atomic
def open_request(*, content: dict, actor, via: str = "service") -> ChangeRequest:
    """Start a proposal as a draft. Its content may still be full of faults; its shape may not."""
    permit(policies.why_not_propose(actor))
    parsed = read_content(content)
    now = clock.now()
    request = ChangeRequest(title=parsed.title, author=actor, created_at=now)
    request.publish_when = parsed.publish_when
    request._history_user = actor
    request._change_reason = "opened"
    request.save()
    draft = Draft.objects.create(
        request=request, content=parsed.as_json(), saved_at=now, saved_by=actor
    )
    draft.editors.add(actor)
    _list_items(request, parsed)
    record("open", request, actor=actor, via=via, items=[item.key for item in parsed.items])
    return request


@transaction.atomic
def save_draft(
    request: ChangeRequest, *, content: dict, lock: int, actor, via: str = "service"
) -> Draft:
    """Replace the working copy. `lock` is that of the copy which was edited.

    The second of two savers is refused and told who was first; nothing is overwritten silently.
    Saving equal content changes nothing, not even the lock.
    """
    request = locked(request)
    permit(policies.why_not_edit(actor, request))
    require(request, "edit")
    draft = Draft.objects.select_for_update().select_related("saved_by").get(request=request)
    parsed = read_content(content)
    document = parsed.as_json()
    if document == draft.content:
        return draft
    if draft.lock != lock:
        raise StaleRevision(
            f"{draft.saved_by} saved this draft at {draft.saved_at:%H:%M} UTC while you were "
            "editing. Your text is kept here: compare the two, then save again.",
            lock=draft.lock,
            saved_by=str(draft.saved_by),
            content=draft.content,
        )
    draft.content = document
    draft.lock += 1
    draft.saved_at, draft.saved_by = clock.now(), actor
    draft.save()
    draft.editors.add(actor)
    _list_items(request, parsed)
    if request.title != parsed.title or request.publish_when != parsed.publish_when:
        move(request, "edit", actor=actor, title=parsed.title, publish_when=parsed.publish_when)
    return draft


def _list_items(request: ChangeRequest, content: Content) -> None:
    """Keep one Change an item, so that requests can be found by what they are about."""
    entries = dict(
        Entry.objects.filter(key__in=[item.key for item in content.items]).values_list("key", "pk")
    )
    wanted = {item.key: item for item in content.items}
    held = {change.key: change for change in request.changes.all()}
    for key, change in held.items():
        if key not in wanted:
            change.delete()
        elif change.kind != wanted[key].kind or change.entry_id != entries.get(key):
            change.kind, change.entry_id = wanted[key].kind, entries.get(key)
            change.save(update_fields=["kind", "entry"])
    Change.objects.bulk_create(
        Change(request=request, key=key, kind=item.kind, entry_id=entries.get(key))
        for key, item in wanted.items()
        if key not in held
    )


@transaction.atomic
def withdraw(request: ChangeRequest, *, actor, reason: str = "", via: str = "service"):
    """The author takes the proposal back."""
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
def comment(
    request: ChangeRequest, *, text: str, actor, place: str = "", via: str = "service"
) -> Comment:
    """Say something about the request. It is no verdict."""
    request = locked(request)
    permit(policies.why_not_review(actor, request, "comment"))
    if not text.strip():
        raise Invalid("Write something first.")
    said = Comment.objects.create(
        request=request, author=actor, text=text.strip(), place=place, created_at=clock.now()
    )
    record("comment", request, actor=actor, via=via, place=place, comment=said.pk)
    return said


def item_of(entry: Entry, version: Version | None = None) -> Item:
    """An item that proposes what `version` says (the current one unless told)."""
    source = version or entry.current_version
    return Item(
        key=entry.key,
        kind=entry.kind,
        base=entry.current_version.number if entry.current_version else None,
        spec=source.definition.spec,
        words=Words.model_validate(source.words),
    )


@transaction.atomic
def back_to(
    version: Version, *, actor, reason: str = "", when: str = "approved", via: str = "service"
) -> ChangeRequest:
    """Open the request that puts an earlier version's content into force again."""
    entry = version.entry
    item = item_of(entry, version)
    if item.spec != entry.current_version.definition.spec and entry.kind == "metric":
        item.treatment = "restate"
    content = Content(
        title=f"Back to {version}",
        reason=reason or f"Put into force again what {version} said.",
        effective_from=clock.today(),
        publish_when=when,
        items=[item],
    )
    return open_request(content=content.as_json(), actor=actor, via=via)


@transaction.atomic
def rebase(request: ChangeRequest, *, actor, via: str = "service") -> tuple[Draft, list[str]]:
    """Bring a draft up to the versions in force, field by field.

    What only the other side changed is taken over; what only this request changed stays; where
    both changed a field, this request's text stays and the field is named in the second value,
    for a person to look at. The result has to be submitted, and approved, anew.
    """
    request = locked(request)
    permit(policies.why_not_edit(actor, request))
    require(request, "edit")
    draft = Draft.objects.select_for_update().get(request=request)
    content = read_content(draft.content)
    conflicts: list[str] = []
    for item in content.items:
        entry = Entry.objects.select_related("current_version__definition").get(key=item.key)
        current = entry.current_version
        if item.base == current.number:
            continue
        base = entry.versions.select_related("definition").get(number=item.base)
        for name, before, theirs in (
            ("spec", base.definition.spec, current.definition.spec),
            ("words", base.words, current.words),
        ):
            mine = item.model_dump(mode="json")[name]
            merged, clashes = _merged(before, theirs, mine)
            conflicts += [f"{item.key}.{name}.{field}" for field in clashes]
            setattr(item, name, Words.model_validate(merged) if name == "words" else merged)
        item.base = current.number
    draft.content = content.as_json()
    draft.lock += 1
    draft.saved_at, draft.saved_by = clock.now(), actor
    draft.save()
    draft.editors.add(actor)
    record("rebase", request, actor=actor, via=via, conflicts=conflicts)
    return draft, conflicts


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
