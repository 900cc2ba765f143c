"""The admin's records that nobody edits, not even a superuser, and the audit log among them."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
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

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class KeptAdmin(SimpleHistoryAdmin, ReadOnlyAdmin):
    """A read-only record whose earlier states can be read, and never brought back from here."""

    def revert_disabled(self, request, obj=None):
        return True


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
