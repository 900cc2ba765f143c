"""The catalog in the admin: everything to read, nothing to edit. Changes are proposed."""

from django.contrib import admin
from django.shortcuts import redirect
from django.urls import reverse

from catalog.models import Dataset, Definition, Metric, Resolution, Segment, Version
from core.admin import KeptAdmin, ReadOnlyAdmin, as_text


class EntryAdmin(KeptAdmin):
    list_display = ["name", "key", "domain", "tier", "lifecycle", "current_version", "changed_at"]
    list_filter = ["lifecycle", "tier", "domain"]
    list_select_related = ["domain", "current_version__entry"]
    search_fields = ["key", "name", "description"]
    fields = [
        ("name", "key"),
        "description",
        ("domain", "tier"),
        "lifecycle",
        ("current_version", "changed_at"),
        ("last_day", "successor"),
        ("tags", "synonyms"),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("search")


@admin.register(Metric)
class MetricAdmin(EntryAdmin):
    def history_view(self, request, object_id, extra_context=None):
        """The versions of a metric have a page of their own."""
        metric = self.get_object(request, object_id)
        if metric is None or not self.has_view_permission(request, metric):
            return super().history_view(request, object_id, extra_context)
        return redirect(reverse("web:metric-history", args=[metric.key]))


@admin.register(Dataset)
class DatasetAdmin(EntryAdmin):
    pass


@admin.register(Segment)
class SegmentAdmin(EntryAdmin):
    pass


@admin.register(Version)
class VersionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "change_class", "effective_from", "published_at", "published_by"]
    list_filter = ["change_class", "treatment"]
    list_select_related = ["entry"]
    search_fields = ["entry__key", "entry__name", "published_by_label"]
    date_hierarchy = "published_at"
    fields = [
        ("entry", "number"),
        ("change_class", "treatment"),
        "keep_both_until",
        ("effective_from", "published_at"),
        "published_by_label",
        "spec_text",
        "words_text",
        "comparability_text",
    ]
    readonly_fields = ["spec_text", "words_text", "comparability_text"]

    @admin.display(description="Published by", ordering="published_by_label")
    def published_by(self, version):
        return version.published_by_label

    @admin.display(description="Definition")
    def spec_text(self, version):
        return as_text(version.definition.spec)

    @admin.display(description="Words")
    def words_text(self, version):
        return as_text(version.words)

    @admin.display(description="What it did to the past")
    def comparability_text(self, version):
        return version.comparability.get("headline") or "Nothing: no past value moved."


@admin.register(Definition)
class DefinitionAdmin(ReadOnlyAdmin):
    list_display = ["short", "kind", "created_at"]
    list_filter = ["kind"]
    search_fields = ["hash"]
    fields = ["hash", ("kind", "created_at"), "spec_text"]
    readonly_fields = ["spec_text"]

    @admin.display(description="Hash", ordering="hash")
    def short(self, definition):
        return definition.hash[:12]

    @admin.display(description="Definition")
    def spec_text(self, definition):
        return as_text(definition.spec)


@admin.register(Resolution)
class ResolutionAdmin(ReadOnlyAdmin):
    list_display = ["metric", "number", "version", "short", "created_at"]
    list_select_related = ["metric", "version__entry"]
    search_fields = ["metric__key", "hash"]
    fields = [("metric", "version"), "number", "hash", "created_at", "pins_text"]
    readonly_fields = ["pins_text"]

    @admin.display(description="Hash", ordering="hash")
    def short(self, resolution):
        return resolution.hash[:12]

    @admin.display(description="Stands on")
    def pins_text(self, resolution):
        return as_text(resolution.pins)
