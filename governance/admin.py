"""Where reviewers decide. The page shows what a decision rests on; the verdict itself is the
same service that the web and the API call. Nothing governed is edited here by anybody."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from accounts.policies import APPROVING
from catalog.choices import Tier
from core.admin import HistoryAdmin, ReadOnlyAdmin, as_text
from core.errors import EtalonError, StaleRevision
from governance import policies
from governance.assessment import assess
from governance.choices import MOVES, OPEN, Status, Verdict
from governance.content import read_content
from governance.models import ApprovalPolicy, ChangeRequest, Comment, Review, Revision
from governance.readiness import readiness_of
from governance.reading import MOST_ITEMS, approvals_of, read
from governance.selectors.requests import waiting_for
from governance.services.approval_policies import set_policy
from governance.services.reviews import review
from semantics.diff import ChangeClass

VIA = "admin"
# What may be agreed to without its page being open; the rest has consequences to look at.
IN_BULK = frozenset({ChangeClass.EDITORIAL, ChangeClass.ADDITIVE})
MOST_IN_BULK = 50
SAID = {
    Verdict.APPROVE: "You approved",
    Verdict.REQUEST_CHANGES: "You asked for changes on",
    Verdict.COMMENT: "You commented on",
}


def waiting_count(request) -> str:
    """Beside the list in the navigation: how many requests wait for this person."""
    return str(len(waiting_for(request.user)))


class Show(admin.SimpleListFilter):
    """Reviewers begin with what waits for them."""

    title = "what to show"
    parameter_name = "show"

    def __init__(self, request, *rest):
        super().__init__(request, *rest)
        decides = request.user.grants.filter(role__in=APPROVING).exists()
        self.default = "waiting" if decides else "open"

    def lookups(self, request, model_admin):
        return [
            ("waiting", "Waiting for me"),
            ("open", "All open"),
            ("mine", "Proposed by me"),
            ("decided", "Reviewed by me"),
            ("closed", "Closed"),
            ("all", "Everything"),
        ]

    @property
    def chosen(self) -> str:
        asked = super().value()
        return asked if asked in dict(self.lookup_choices) else self.default

    def value(self):
        return self.chosen

    def choices(self, changelist):
        for name, label in self.lookup_choices:
            yield {
                "selected": self.chosen == name,
                "query_string": changelist.get_query_string({self.parameter_name: name}),
                "display": label,
            }

    def queryset(self, request, queryset):
        me = request.user
        match self.chosen:
            case "waiting":
                return queryset.filter(pk__in=[row.request.pk for row in waiting_for(me)])
            case "open":
                return queryset.filter(status__in=OPEN)
            case "mine":
                return queryset.filter(author=me)
            case "decided":
                return queryset.filter(pk__in=Review.objects.filter(reviewer=me).values("request"))
            case "closed":
                return queryset.exclude(status__in=OPEN)
        return queryset


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnlyAdmin):
    list_before_template = "admin/governance/changerequest/list_note.html"
    list_display = [
        "reference",
        "about",
        "what_class",
        "author",
        "age",
        "approvals",
        "readiness",
    ]
    list_display_links = ["reference", "about"]
    list_filter = [Show, "change_class"]
    list_select_related = ["author", "revision"]
    list_per_page = 25
    search_fields = ["title", "changes__key", "author__username", "author__full_name"]
    search_help_text = "Search title, metric or author"
    date_hierarchy = "submitted_at"
    actions = ["approve_selected"]

    def get_queryset(self, request):
        """What was never submitted is its author's own affair."""
        rows = super().get_queryset(request).filter(revision__isnull=False)
        return rows.annotate(items=Count("changes")).prefetch_related("changes")

    def get_urls(self):
        bulk = self.admin_site.admin_view(self.approve_view)
        return [
            path("approve/", bulk, name="governance_changerequest_approve"),
            *super().get_urls(),
        ]

    # --- The list ---

    @admin.display(description="CR", ordering="pk")
    def reference(self, change):
        return str(change)

    @admin.display(description="Change", ordering="title")
    def about(self, change):
        keys = [one.key for one in change.changes.all()]
        return _cell("about", change=change, keys=keys[:3], more=len(keys) - 3)

    @admin.display(description="Class", ordering="change_class")
    def what_class(self, change):
        return _cell("badge", family="class", value=change.change_class)

    @admin.display(description="Age", ordering="submitted_at")
    def age(self, change):
        return _cell("age", moment=change.submitted_at or change.created_at)

    @admin.display(description="Approvals")
    def approvals(self, change):
        return approvals_of(change) if change.is_open else "-"

    @admin.display(description="Readiness")
    def readiness(self, change):
        """“3 of 5” with the first unmet line. Of very large requests only their page says it."""
        if not change.is_open:
            return _cell("badge", family="status", value=change.status)
        if change.items > MOST_IN_BULK:
            return "see its page"
        content = read_content(change.revision.content)
        return _cell("readiness", readiness=readiness_of(change, content, assess(content)))

    # --- One request ---

    def history_view(self, request, object_id, extra_context=None):
        """Its timeline is on its page."""
        return redirect(reverse("admin:governance_changerequest_change", args=[object_id]))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        change = self.get_object(request, object_id)
        if not self.has_view_permission(request, change):
            raise PermissionDenied
        if change is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if request.method == "POST":
            return self._decide(request, change)
        return self._page(request, change)

    def _decide(self, request, change):
        verdict, comment = request.POST.get("verdict", ""), request.POST.get("comment", "")
        number = request.POST.get("revision", "")
        try:
            review(
                change,
                revision_hash=request.POST.get("revision_hash", ""),
                revision_number=int(number) if number.isdecimal() and len(number) < 10 else None,
                verdict=verdict,
                comment=comment,
                actor=request.user,
                via=VIA,
            )
        except EtalonError as refusal:
            change = self.get_object(request, change.pk)
            return self._page(request, change, refusal=refusal, comment=comment)
        messages.success(request, f"{SAID[verdict]} r{number} of {change}.")
        return redirect(reverse("admin:governance_changerequest_change", args=[change.pk]))

    def _page(self, request, change, *, refusal=None, comment=""):
        user = request.user
        refused = {name: policies.why_not_review(user, change, name) for name in Verdict.values}
        open_to = [name for name in Verdict.values if change.status in MOVES[name][0]]
        mine = change.reviews.filter(reviewer=user, revision=change.revision)
        reading = read(change, user)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": change,
            "title": f"{change}: {change.title}",
            "change": change,
            "reading": reading,
            "page": reading.page,
            "reviews": list(reversed(reading.page.reviews)),
            "allowed": [name for name in open_to if not refused[name]],
            "why_not": next((why for why in refused.values() if why), None) if open_to else None,
            "is_stale": change.status == Status.DRAFT,
            "my_verdict": mine.exclude(verdict=Verdict.COMMENT).order_by("-pk").first(),
            "refusal": refusal,
            "is_moved": isinstance(refusal, StaleRevision),
            "comment": comment,
            "full_page": reverse("web:change", args=[change.pk]),
        }
        return TemplateResponse(
            request,
            "admin/governance/changerequest/decide.html",
            context,
            status=refusal.status if refusal else 200,
        )

    # --- Several at once ---

    def get_actions(self, request):
        """Only this one; rows are never removed."""
        actions = super().get_actions(request)
        return {name: found for name, found in actions.items() if name == "approve_selected"}

    @admin.action(description="Approve selected…", permissions=["view"])
    def approve_selected(self, request, queryset):
        """Ask first: what is approved is listed with its differences, to be ticked row by row."""
        rows = list(queryset[: MOST_IN_BULK + 1])
        if len(rows) > MOST_IN_BULK:
            messages.error(request, f"Select at most {MOST_IN_BULK} requests at once.")
            return None
        found = []
        for change in rows:
            why_not = self._why_not_in_bulk(request.user, change)
            found.append(
                {"change": change, "reading": read(change, request.user), "why_not": why_not}
            )
        return self._bulk_page(request, "Approve selected changes", rows=found)

    def approve_view(self, request):
        """Approve what was ticked, one by one; each row says how it went."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        listing = redirect(reverse("admin:governance_changerequest_changelist"))
        if request.method != "POST":
            return listing
        ticked = [
            int(pk) for pk in request.POST.getlist("ticked") if pk.isdecimal() and len(pk) < 16
        ]
        if not ticked:
            messages.warning(request, "Nothing was ticked, so nothing was approved.")
            return listing
        rows = self.get_queryset(request).in_bulk(ticked[:MOST_IN_BULK])
        results = [
            self._approved_in_bulk(request, rows[pk]) for pk in ticked[:MOST_IN_BULK] if pk in rows
        ]
        return self._bulk_page(request, "What was approved", results=results)

    def _approved_in_bulk(self, request, change) -> dict:
        number = request.POST.get(f"revision_{change.pk}", "")
        if why_not := self._why_not_in_bulk(request.user, change):
            return {"change": change, "is_ok": False, "sentence": f"refused: {why_not}"}
        try:
            review(
                change,
                revision_hash=request.POST.get(f"hash_{change.pk}", ""),
                revision_number=int(number) if number.isdecimal() and len(number) < 10 else None,
                verdict=Verdict.APPROVE,
                actor=request.user,
                via=VIA,
            )
        except EtalonError as refusal:
            return {"change": change, "is_ok": False, "sentence": f"refused: {refusal.message}"}
        return {"change": change, "is_ok": True, "sentence": f"approved r{number}"}

    def _why_not_in_bulk(self, user, change) -> str | None:
        asked = {need["change_class"] for need in change.revision.requirements}
        if others := sorted((asked | {change.revision.change_class}) - IN_BULK):
            return f"{others[-1].capitalize()} changes are decided on their own page."
        if len(change.revision.content["items"]) > MOST_ITEMS:
            return "It has more items than are listed here. Decide on its own page."
        if change.status != Status.IN_REVIEW:
            return f"It is {change.get_status_display().lower()}."
        return policies.why_not_review(user, change)

    def _bulk_page(self, request, title: str, **more):
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            **more,
        }
        if "rows" in more:
            context["approvable"] = sum(not row["why_not"] for row in more["rows"])
        if "results" in more:
            context["approved"] = sum(one["is_ok"] for one in more["results"])
        return TemplateResponse(request, "admin/governance/changerequest/approve.html", context)


def _cell(name: str, **context) -> str:
    return render_to_string(f"admin/governance/changerequest/cells/{name}.html", context)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    note = "A revision is what was submitted, word for word. Propose a change to say it anew."
    list_display = ["request", "__str__", "change_class", "submitted_by", "submitted_at"]
    list_select_related = ["request", "submitted_by"]
    list_filter = ["change_class"]
    search_fields = ["hash", "request__title"]
    date_hierarchy = "submitted_at"
    fields = [
        ("request", "number"),
        "change_class",
        "hash",
        ("submitted_by", "submitted_at"),
        "requirements_text",
        "content_text",
    ]
    readonly_fields = ["requirements_text", "content_text"]

    @admin.display(description="Approvals that were asked for")
    def requirements_text(self, revision):
        return as_text(revision.requirements)

    @admin.display(description="What was submitted")
    def content_text(self, revision):
        return as_text(revision.content)


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    note = "A verdict stays as it was given. To decide anew, review the request again."
    list_display = ["request", "revision", "verdict", "reviewer", "via", "reviewed_at"]
    list_select_related = ["request", "revision", "reviewer"]
    list_filter = ["verdict", "via"]
    search_fields = ["request__title", "reviewer__username", "reviewer__full_name", "comment"]
    date_hierarchy = "reviewed_at"


@admin.register(Comment)
class CommentAdmin(ReadOnlyAdmin):
    note = "What was said stays said. Answer on the page of the request."
    list_display = ["request", "author", "text", "created_at", "resolved_at"]
    list_select_related = ["request", "author"]
    search_fields = ["text", "request__title"]


class PolicyForm(forms.ModelForm):
    """A row of the approval policy, checked in words before the service is asked."""

    actor: User
    change_class = forms.ChoiceField(
        choices=[(str(one), one.name.capitalize()) for one in ChangeClass],
        widget=UnfoldAdminSelectWidget,
        label="Class of change",
    )
    tier = forms.TypedChoiceField(
        choices=Tier.choices, coerce=int, widget=UnfoldAdminSelectWidget, label="Tier"
    )

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("stewards", 0) > cleaned.get("approvals", 0):
            self.add_error("stewards", "Of the approvals, no more than all can be a steward's.")
        if self.instance.pk is None and not self.errors:
            if why := policies.why_not_set_policy(self.actor, cleaned["domain"]):
                self.add_error("domain", why)
                return cleaned
            names = ("change_class", "tier", "is_new", "domain")
            row = {name: cleaned[name] for name in names}
            if ApprovalPolicy.objects.filter(**row).exists():
                self.add_error("change_class", "There is such a row already. Change that one.")
        return cleaned

    def validate_constraints(self):
        """Said above, in words."""


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(HistoryAdmin, ModelAdmin):
    form = PolicyForm
    actions = None
    note = "Requests that were submitted before a change keep what was asked of them."
    change_form_outer_before_template = "admin/read_only_note.html"
    list_before_template = "admin/read_only_note.html"
    list_display = ["what", "tier_name", "domain", "approvals", "stewards", "owner_counts"]
    list_select_related = ["domain"]
    list_filter = ["change_class", "is_new"]
    search_fields = ["change_class", "domain__name"]
    list_per_page = 50
    fields = [
        ("change_class", "tier"),
        ("is_new", "domain"),
        ("approvals", "stewards"),
        "owner_counts_as_steward",
    ]

    def get_readonly_fields(self, request, obj=None):
        return ["change_class", "tier", "is_new", "domain"] if obj else []

    def has_add_permission(self, request):
        return request.user.is_staff and policies.why_not_set_any_policy(request.user) is None

    def has_change_permission(self, request, obj=None):
        if obj is None:
            return self.has_add_permission(request)
        return (
            request.user.is_staff and policies.why_not_set_policy(request.user, obj.domain) is None
        )

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.actor = request.user
        return form

    def has_delete_permission(self, request, obj=None):
        """A missing row would stop every request that it is about."""
        return False

    def save_model(self, request, obj, form, change):
        row = set_policy(
            change_class=obj.change_class,
            tier=obj.tier,
            is_new=obj.is_new,
            domain=obj.domain,
            numbers=(obj.approvals, obj.stewards, obj.owner_counts_as_steward),
            actor=request.user,
            via=VIA,
        )
        obj.pk = row.pk

    @admin.display(description="Class of change", ordering="change_class")
    def what(self, policy):
        new = " (new metric)" if policy.is_new else ""
        return f"{policy.change_class.capitalize()}{new}"

    @admin.display(description="Tier", ordering="tier")
    def tier_name(self, policy):
        return Tier(policy.tier).label

    @admin.display(description="Owner counts", boolean=True)
    def owner_counts(self, policy):
        return policy.owner_counts_as_steward
