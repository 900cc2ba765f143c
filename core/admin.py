"""The admin's records that nobody edits, not even a superuser, and the audit log among them."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import Group
from django.http import Http404
from django.utils.html import format_html
from django_celery_beat import models as beat
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from core.models import AuditEvent

PUBLISHED = "Published versions can't be edited. Propose a change."

# Roles say who may do what, and the schedule is part of the settings: neither is edited here.
for model in (
    Group,
    beat.PeriodicTask,
    beat.CrontabSchedule,
    beat.IntervalSchedule,
    beat.SolarSchedule,
    beat.ClockedSchedule,
):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows and changes none: whoever asks, in whatever way."""

    actions: Any = None
    note = PUBLISHED
    change_form_outer_before_template = "admin/read_only_note.html"
    list_before_template = "admin/read_only_note.html"
    list_filter_submit = False
    list_per_page = 50

    def get_changelist_instance(self, request):
        try:
            return super().get_changelist_instance(request)
        except OverflowError as error:
            # A year beyond every calendar: the list without its filter, as for any other rubbish.
            raise IncorrectLookupParameters from error

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class HistoryAdmin(SimpleHistoryAdmin):
    """Earlier states can be read, and are never brought back from here."""

    def revert_disabled(self, request, obj=None):
        return True

    def history_view(self, request, object_id, extra_context=None):
        _only_numbers(object_id)
        return super().history_view(request, object_id, extra_context)

    def history_form_view(self, request, object_id, version_id, extra_context=None):
        _only_numbers(object_id, version_id)
        return super().history_form_view(request, object_id, version_id, extra_context)


def _only_numbers(*given: str) -> None:
    """Rows are asked for by number; the library takes what stands in the address as it is."""
    if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in given):
        raise Http404("There is no such row.")


class KeptAdmin(HistoryAdmin, ReadOnlyAdmin):
    """A read-only record with its history."""


def as_text(document) -> str:
    """A JSON document to read, with its lines kept."""
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="etalon-document" tabindex="0">{}</pre>', text)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    note = "The audit log is only ever added to. Nobody can change or remove a line."
    list_display = ["sequence", "happened_at", "actor_label", "action", "subject_label", "via"]
    list_filter = ["via", "is_simulated"]
    search_fields = ["actor_label", "action", "subject_label", "reason"]
    date_hierarchy = "happened_at"
    fields = [
        "sequence",
        ("happened_at", "recorded_at"),
        "is_simulated",
        ("actor_label", "via"),
        ("action", "subject_label"),
        "reason",
        "document",
        "previous_hash",
        "hash",
    ]
    readonly_fields = ["document"]

    @admin.display(description="Details")
    def document(self, event):
        return as_text(event.detail)
