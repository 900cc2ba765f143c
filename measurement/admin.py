"""Sources, runs and checks to read. What holds a secret is not shown, and nothing is edited."""

from django.contrib import admin

from core.admin import KeptAdmin, ReadOnlyAdmin, as_text
from measurement.models import Backfill, BackfillWindow, Check, CheckRun, Source

# Of a source's configuration only these are shown; whatever else a driver asks for stays hidden.
SHOWN_CONFIG = ("folder", "schema", "views", "url_env", "database", "memory")


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Without its earlier states: they would show the configuration as it was, unmasked."""

    note = "Sources are set up on the command line, where their credentials are."
    list_display = ["name", "key", "kind", "first_day", "time_limit_seconds"]
    search_fields = ["key", "name"]
    fields = [
        ("name", "key"),
        "kind",
        "description",
        "attribution",
        ("first_day", "time_limit_seconds"),
        "configuration",
    ]
    readonly_fields = ["configuration"]

    @admin.display(description="Configuration")
    def configuration(self, source):
        shown = {name: source.config[name] for name in SHOWN_CONFIG if name in source.config}
        hidden = {name: "hidden" for name in source.config if name not in SHOWN_CONFIG}
        return as_text(shown | hidden)


@admin.register(Backfill)
class BackfillAdmin(KeptAdmin):
    note = "Runs are paused, resumed and cancelled on their own page."
    list_display = ["id", "purpose", "status", "start", "until", "actor_label", "windows_done"]
    list_filter = ["status", "purpose"]
    search_fields = ["reason", "actor_label", "targets__key"]
    date_hierarchy = "created_at"
    fields = [
        ("purpose", "status"),
        ("start", "until"),
        ("reason", "actor_label"),
        "created_at",
        ("started_at", "finished_at"),
        "metrics",
        "windows_done",
        "error",
        "checksum",
    ]
    readonly_fields = ["metrics", "windows_done"]

    @admin.display(description="Metrics")
    def metrics(self, backfill):
        keys = list(backfill.targets.order_by("key").values_list("key", flat=True).distinct()[:51])
        return ", ".join(keys[:50]) + (" and more" if len(keys) > 50 else "")

    @admin.display(description="Windows")
    def windows_done(self, backfill):
        windows = BackfillWindow.objects.filter(backfill=backfill)
        return f"{windows.filter(done_at__isnull=False).count()} of {windows.count()}"


@admin.register(Check)
class CheckAdmin(KeptAdmin):
    note = "What a check allows is changed on its own page of the site, with a reason."
    list_display = ["dataset", "kind", "is_blocking"]
    list_filter = ["kind", "is_blocking"]
    list_select_related = ["dataset"]
    search_fields = ["dataset__key"]


@admin.register(CheckRun)
class CheckRunAdmin(ReadOnlyAdmin):
    note = "What a check found stays as it was found."
    list_display = ["check_rule", "day", "outcome", "message", "ran_at"]
    list_filter = ["outcome"]
    list_select_related = ["check_rule__dataset"]
    date_hierarchy = "ran_at"
