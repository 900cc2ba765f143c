"""Proposing in the browser: a draft that saves itself, what it would do, and the submit."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import Domain
from catalog.choices import Kind
from catalog.models import Entry
from catalog.selectors.entries import entry_by_key, specs_in_force
from catalog.stewardship import stewardship_of
from core.errors import EtalonError, Invalid, NotAllowed, StaleRevision
from governance import policies
from governance.approvals import who_must_agree
from governance.assessment import assess
from governance.conflicts import conflict_of
from governance.content import read_content
from governance.evidence import evidence_of
from governance.models import ChangeRequest
from governance.reading import MOST_ITEMS, past_of, why_not_cancel
from governance.services.formulas import apply_formula
from governance.services.previews import ask_for_preview
from governance.services.requests import item_of, save_draft, withdraw
from governance.services.submitting import requirements_for, submit
from semantics.definition import METRIC_TYPES, Aggregation, DatasetSpec, Grain
from semantics.problems import DefinitionRefused, Level
from semantics.question import askable_dimensions
from web import editor
from web.asked import whole
from web.faults import with_fields
from web.formatting import clock_time
from web.formulas import marked, names_for_filters, names_for_formulas, typed


def _draft_of(request, pk: int) -> ChangeRequest:
    found = get_object_or_404(ChangeRequest.objects.select_related("draft", "author"), pk=pk)
    if why := policies.why_not_edit(request.user, found):
        raise NotAllowed(why)
    return found


@require_safe
def edit(request, pk: int):
    """The editor: the form, what it changes, and what it does to the past."""
    change = _draft_of(request, pk)
    if not change.is_open:
        return redirect("web:change", pk=pk)
    return render(request, "governance/edit.html", _context(request, change))


def _context(request, change: ChangeRequest, refused: EtalonError | None = None) -> dict:
    content = _shown(request, change, refused)
    key = request.GET.get("item") or request.POST.get("item") or content["items"][0]["key"]
    item = next((one for one in content["items"] if one["key"] == key), None)
    if item is None:
        raise Http404(f"{key} is not in {change}.")
    known = {**specs_in_force(), **assess(read_content(content)).proposed}
    spec = item["spec"]
    entry = Entry.objects.filter(key=key).first()
    others = ChangeRequest.objects.open().about(key).exclude(pk=change.pk)
    return {
        "place": "changes",
        "change": change,
        "content": content,
        "item": item,
        "spec": spec,
        "words": item["words"],
        "entry": entry,
        "refused": refused,
        **_conflict(request, change, content, key, refused),
        "problems": with_fields(
            refused.details.get("problems", []) if refused else [],
            page=f"/changes/{change.pk}/edit",
            key=key,
            items=content["items"],
        ),
        "texts": editor.texts_of(item, more=False),
        "more_texts": editor.texts_of(item, more=True),
        "said_more": sum(
            bool(item["words"].get(name)) for name in (*editor.MORE_TEXTS, "synonyms", "tags")
        ),
        "choices": editor.CHOICES,
        "units": editor.UNITS,
        "treatments": editor.TREATMENTS,
        "aggregations": [each.value for each in Aggregation],
        "grains": [each.value for each in Grain],
        "datasets": sorted(k for k, s in known.items() if s.type == "dataset"),
        "segments": sorted(
            {
                *(k for k, s in known.items() if s.type == "segment"),
                *editor.texts_in(spec.get("segments")),
            }
        ),
        "metrics": sorted(k for k, s in known.items() if s.type in METRIC_TYPES and k != key),
        "askable": _askable(key, spec, known),
        "entities": sorted(
            {e.name for s in known.values() if isinstance(s, DatasetSpec) for e in s.entities}
        ),
        "filters": "\n".join(editor.texts_in(spec.get("filters"))),
        "numerator_filters": _filters_of(spec, "numerator"),
        "denominator_filters": _filters_of(spec, "denominator"),
        "inputs": request.POST.get("inputs") or editor.lines_of_inputs(spec.get("inputs")),
        "window": editor.group_in(spec, "window"),
        "yaml": request.POST.get("yaml") or editor.as_yaml(spec)
        if item["kind"] == Kind.DATASET
        else None,
        "names": _names(spec, known, key),
        "filter_names": _filter_names(known, key),
        "typed": typed(request.POST or request.GET, content, key),
        "formula_names": names_for_formulas(known, key) if item["kind"] == Kind.METRIC else [],
        "stewardship": item.get("stewardship"),
        "current_stewardship": stewardship_of(entry) if entry else None,
        "domains": Domain.objects.all(),
        "tiers": [(1, "Tier 1"), (2, "Tier 2"), (3, "Tier 3"), (9, "Local")],
        "others": others.select_related("author")[:3],
        "gives_up_approval": _gives_up_approval(request.user, change),
        "takes_back": change.is_in_review,
        "why_not_discard": policies.why_not_withdraw(request.user, change),
        "live": _live(change, request.user, by=request.GET.get("by", "")),
    }


def _conflict(request, change: ChangeRequest, content: dict, key: str, refused) -> dict:
    """The lock of the copy that was edited. Where somebody else saved meanwhile it stays that of
    the older copy, so that nothing is saved over theirs before it was compared."""
    if not isinstance(refused, StaleRevision):
        return {"lock": change.draft.lock, "conflict": None}
    return {
        "lock": request.POST.get("lock", ""),
        "conflict": conflict_of(change.draft.content, content, key=key),
    }


def _filters_of(spec: dict, side: str) -> str:
    return "\n".join(editor.texts_in(editor.group_in(spec, side).get("filters")))


def _shown(request, change: ChangeRequest, refused: EtalonError | None) -> dict:
    """The draft; or, when a form was refused, what was typed into it as far as it can be read."""
    content = change.draft.content
    if refused is None or "item" not in request.POST:
        return content
    try:
        typed_in = editor.content_from(request.POST, content, request.POST["item"])
        read_content(typed_in)
    except EtalonError:
        return content
    return typed_in


def _gives_up_approval(user, change: ChangeRequest) -> bool:
    """Whether somebody who has written nothing in it could approve it."""
    if change.draft.editors.filter(pk=user.pk).exists():
        return False
    return policies.why_not_review(user, change) is None


def _askable(key: str, spec: dict, known) -> list[str]:
    """What a metric is asked by and could be; a dataset's dimensions are its own matter."""
    is_metric = str(spec.get("type")) in METRIC_TYPES
    chosen = editor.texts_in(spec.get("dimensions")) if is_metric else []
    return sorted({*_reached(key, known), *chosen})


def _reached(key: str, known) -> list[str]:
    """What a metric can be asked by: nothing for a dataset or segment, nor while its definition
    cannot be followed down to its rows."""
    if key not in known or known[key].type not in METRIC_TYPES:
        return []
    try:
        return list(askable_dimensions(key, known))
    except DefinitionRefused:
        return []


def _names(spec: dict, known, key: str) -> list[dict]:
    """What the expression completes: columns of its dataset, the metrics that a formula may name,
    or the dimensions of a segment. Nothing is offered that would be refused."""
    if spec.get("type") == "segment":
        return names_for_filters(known)
    if spec.get("type") == "derived":
        return [
            {"label": name, "type": "metric", "detail": one.type}
            for name, one in known.items()
            if one.type in METRIC_TYPES and name != key
        ]
    dataset = known.get(str(spec.get("dataset", "")))
    if not isinstance(dataset, DatasetSpec):
        return []
    return [
        {"label": column.name, "type": "column", "detail": column.type.value}
        for column in dataset.columns
    ]


def _filter_names(known, key: str) -> list[dict]:
    """What filters complete: the dimensions that the rows have or reach."""
    return [
        {"label": path, "type": "dimension", "detail": "dimension"} for path in _reached(key, known)
    ]


@require_POST
def draft(request, pk: int):
    """Save what is typed. JSON for the script that saves by itself, a redirect for the button."""
    change = _draft_of(request, pk)
    was_in_review = change.is_in_review
    wants_json = "application/json" in request.headers.get("Accept", "")
    try:
        saved = _save(request, change)
    except EtalonError as error:
        if wants_json:
            see = " Press Save draft to see both." if isinstance(error, StaleRevision) else ""
            return JsonResponse({"message": f"{error.message}{see}"}, status=error.status)
        change.refresh_from_db()
        return render(
            request, "governance/edit.html", _context(request, change, error), status=error.status
        )
    if wants_json:
        at = timezone.localtime(saved.saved_at)
        said = {"saved_at": at.isoformat(), "saved": clock_time(at)}
        change.refresh_from_db()
        if was_in_review and not change.is_in_review:
            said["news"] = f"{change} is taken back from review. Submit it again when it is ready."
        return JsonResponse({"lock": saved.lock, **said})
    return redirect(_editor_of(request, pk))


def _editor_of(request, pk: int) -> str:
    """The editor on the same item. A formula that is not applied yet goes with it."""
    query = {"item": request.POST.get("item", "")}
    if request.POST.get("formula", "").strip():
        query |= {name: request.POST.get(name, "") for name in ("formula", "formula_dataset")}
    return f"/changes/{pk}/edit?{urlencode(query)}"


def _save(request, change: ChangeRequest):
    content = editor.content_from(request.POST, change.draft.content, request.POST.get("item", ""))
    return save_draft(
        change,
        content=content,
        # Pressed after the two were compared: theirs is replaced.
        lock=whole(request.POST.get("over") or request.POST.get("lock"), -1),
        actor=request.user,
        via="web",
    )


@require_POST
@vary_on_headers("Accept")
def check_formula(request, pk: int):
    """What a typed formula stands for: the faults for the field, a panel for the page."""
    change = _draft_of(request, pk)
    content = change.draft.content
    said = typed(request.POST, content, request.POST.get("item", ""))
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"problems": marked(said.text, said.problems)})
    return render(request, "governance/_typed.html", {"typed": said})


@require_POST
def use_formula(request, pk: int):
    """Save what is typed, then make the formula the metric's own. A refused one stays typed."""
    change = _draft_of(request, pk)
    key = request.POST.get("item", "")
    try:
        saved = _save(request, change)
        applied = apply_formula(
            change,
            key=key,
            formula=request.POST.get("formula", ""),
            dataset=request.POST.get("formula_dataset", ""),
            lock=saved.lock,
            actor=request.user,
            via="web",
        )
    except EtalonError as error:
        change = _draft_of(request, pk)
        return render(
            request, "governance/edit.html", _context(request, change, error), status=error.status
        )
    messages.success(request, f"The formula is applied. {applied.sentence}".replace("`", ""))
    return redirect(f"/changes/{pk}/edit?item={key}")


@require_POST
def submit_draft(request, pk: int):
    """Save once more and freeze it. What blocks is shown on top, each fault with its place."""
    change = _draft_of(request, pk)
    try:
        saved = _save(request, change) if "item" in request.POST else change.draft
        _require_applied(request)
        submit(change, lock=saved.lock, actor=request.user, via="web")
    except EtalonError as error:
        change = _draft_of(request, pk)
        return render(
            request, "governance/edit.html", _context(request, change, error), status=error.status
        )
    return redirect("web:change", pk=pk)


def _require_applied(request) -> None:
    """Nobody submits a formula that was typed and stands nowhere."""
    if not request.POST.get("formula", "").strip():
        return
    message = "The typed formula is not applied, so that it would be lost."
    fix = "Apply it, or empty its field."
    problem = {"place": "formula", "code": "not_applied", "message": message, "fix": fix}
    raise Invalid(message, problems=[problem])


@require_POST
def discard(request, pk: int):
    change = _draft_of(request, pk)
    withdraw(change, actor=request.user, reason="Discarded.", via="web")
    messages.success(request, f"{change} is discarded. It stays readable among what is done.")
    return redirect("web:changes")


@require_POST
def add_item(request, pk: int):
    """Take another entry into the same request, or one of its items out of it."""
    change = _draft_of(request, pk)
    if without := request.POST.get("without"):
        return _without(request, change, without)
    item = item_of(entry_by_key(request.POST.get("entry", "").strip()))
    content = change.draft.content
    if item.key not in [one["key"] for one in content["items"]]:
        content = {**content, "items": [*content["items"], item.model_dump(mode="json")]}
        save_draft(change, content=content, lock=change.draft.lock, actor=request.user, via="web")
    return redirect(f"/changes/{pk}/edit?item={item.key}")


def _without(request, change: ChangeRequest, key: str):
    content = change.draft.content
    rest = [one for one in content["items"] if one["key"] != key]
    if rest and len(rest) < len(content["items"]):
        content = {**content, "items": rest}
        save_draft(change, content=content, lock=change.draft.lock, actor=request.user, via="web")
        messages.success(request, f"{key} is not in this request any more.")
    return redirect("web:change-edit", pk=change.pk)


@require_POST
def own_stewardship(request, pk: int):
    """Take stewardship into the proposal, so that owner, tier and target can be changed too."""
    change = _draft_of(request, pk)
    key = request.POST.get("item", "")
    entry = entry_by_key(key)
    content = dict(change.draft.content)
    card = stewardship_of(entry).model_dump(mode="json")
    content["items"] = [
        {**one, "stewardship": card} if one["key"] == key else one for one in content["items"]
    ]
    save_draft(change, content=content, lock=change.draft.lock, actor=request.user, via="web")
    return redirect(f"/changes/{pk}/edit?item={key}")


@require_safe
@vary_on_headers("HX-Request")
def live(request, pk: int):
    """What the draft amounts to now: class, faults, who must agree, what it does to the past."""
    change = _draft_of(request, pk)
    return _answer(request, change, _live(change, request.user, by=request.GET.get("by", "")))


def _answer(request, change: ChangeRequest, live: dict):
    """The panes anew, with what the page says of them in other places."""
    context = {"change": change, "live": live, "is_answer": True}
    return render(request, "governance/_live.html", context)


def _live(change: ChangeRequest, user, *, by: str = "") -> dict:
    content = read_content(change.draft.content)
    assessment = assess(content)
    needs, refused = [], ""
    if assessment.is_computable:
        try:
            needs = who_must_agree(requirements_for(assessment))
        except EtalonError as error:
            refused = error.message
    run = evidence_of(assessment) if assessment.is_computable else None
    # What differs and what blocks come first, so that they are among those that are shown.
    items = sorted(assessment.items, key=lambda one: one.change_class is None)
    problems = sorted(assessment.problems, key=lambda one: one.level != Level.BLOCKS)
    named = change.draft.content["items"]
    past = past_of(assessment, content, run, by=by)
    return {
        "assessment": assessment,
        "items": items[:MOST_ITEMS],
        "more_items": len(items[MOST_ITEMS:]),
        "problems": with_fields(
            [one.as_dict() for one in problems[:MOST_ITEMS]],
            page=f"/changes/{change.pk}/edit",
            key=named[0]["key"] if len(named) == 1 else "",
            items=named,
        ),
        "more_problems": len(problems[MOST_ITEMS:]),
        "needs": needs,
        "refused": refused,
        "past": past,
        "why_not_cancel": why_not_cancel(user, past),
    }


@require_POST
def preview(request, pk: int):
    """Compute what the draft does to the past, in a worker, in total and by a dimension."""
    change = _draft_of(request, pk)
    by = request.POST.get("by", "")
    refused = None
    try:
        ask_for_preview(
            read_content(change.draft.content), dimension=by or None, actor=request.user, via="web"
        )
    except EtalonError as error:
        refused = error
    if request.htmx:
        live = {**_live(change, request.user, by=by), "past_refused": refused and refused.message}
        return _answer(request, change, live)
    if refused:
        return render(
            request,
            "governance/edit.html",
            _context(request, change, refused),
            status=refused.status,
        )
    return redirect(f"/changes/{pk}/edit?{urlencode({'by': by})}")
