from rest_framework import serializers as s

from api.schemas.shared import Person, page_of


class EntryRow(s.Serializer):
    key = s.CharField()
    kind = s.CharField()
    name = s.CharField()
    description = s.CharField(allow_blank=True)
    domain = s.CharField()
    tier = s.IntegerField(help_text="1, 2, 3, or 9 for local.")
    lifecycle = s.CharField(help_text="proposed, active, deprecated or retired.")
    owners = s.ListField(child=s.CharField(), help_text="Usernames.")
    tags = s.ListField(child=s.CharField())
    synonyms = s.ListField(child=s.CharField())
    version = s.IntegerField(allow_null=True, help_text="The number of the current version.")
    changed_at = s.DateTimeField()


class MetricRow(EntryRow):
    role = s.CharField(allow_blank=True)
    is_kpi = s.BooleanField()
    direction = s.CharField(help_text="Which way is good: up, down or neutral.")
    type = s.CharField(allow_blank=True)


class VersionRow(s.Serializer):
    id = s.CharField(help_text="key@n")
    number = s.IntegerField()
    is_current = s.BooleanField()
    effective_from = s.DateField()
    published_at = s.DateTimeField()
    published_by = s.CharField()
    change_class = s.CharField()
    treatment = s.CharField(allow_blank=True, help_text="restate, break, keep_both or nothing.")
    keep_both_until = s.DateField(allow_null=True)
    headline = s.CharField(allow_blank=True, help_text="What the change did to the past.")
    definition = s.CharField(help_text="SHA-256 of the definition.")
    change_request = s.IntegerField(allow_null=True)


class Approval(s.Serializer):
    by = Person()
    at = s.DateTimeField()
    via = s.CharField()


class VersionDetail(VersionRow):
    words = s.DictField()
    spec = s.DictField(help_text="The definition.")
    comparability = s.DictField()
    approved_by = Approval(many=True)


class EntryDetail(EntryRow):
    last_day = s.DateField(allow_null=True)
    successor = s.CharField(allow_null=True)
    stewardship = s.DictField(help_text="Who answers, target, SLA and place in the tree.")
    in_force = VersionDetail(allow_null=True, help_text="The version in force, or that of then.")
    open_change_requests = s.ListField(child=s.IntegerField())


class Pin(s.Serializer):
    key = s.CharField()
    number = s.IntegerField()
    definition = s.CharField()


class ResolutionRow(s.Serializer):
    version = s.IntegerField()
    number = s.IntegerField()
    hash = s.CharField(help_text="Names the series of values.")
    pins = Pin(many=True)


class CheckRow(s.Serializer):
    name = s.CharField()
    outcome = s.CharField(allow_null=True)
    sentence = s.CharField(allow_blank=True)


class TroubleBody(s.Serializer):
    code = s.CharField(
        help_text="source_unavailable, source_too_slow, query_failed, held or another failure."
    )
    sentence = s.CharField()
    backfill = s.IntegerField(help_text="The run that it happened to.")


class HealthBody(s.Serializer):
    freshness = s.CharField(allow_blank=True)
    is_late = s.BooleanField()
    complete_until = s.DateField(allow_null=True)
    doubt = s.CharField(allow_blank=True, help_text="Why the values are in doubt, if they are.")
    trouble = TroubleBody(
        allow_null=True, help_text="Why the values are not renewed, if something is wrong."
    )
    kept = s.CharField(
        allow_blank=True, help_text="Which values are shown meanwhile, if something is wrong."
    )
    checks = CheckRow(many=True)
    running_backfills = s.ListField(child=s.IntegerField())


class StateBody(s.Serializer):
    name = s.CharField(help_text="green, yellow, red, no_data or no_target.")
    sentence = s.CharField(allow_blank=True)
    value = s.FloatField(allow_null=True)
    target = s.FloatField(allow_null=True)
    period = s.DateField(allow_null=True)


class MetricDetail(MetricRow, EntryDetail):
    resolution = ResolutionRow(allow_null=True, help_text="What the current version stands on.")
    served = ResolutionRow(allow_null=True, help_text="What the values shown were computed by.")
    health = HealthBody(allow_null=True, help_text="As it is; null with `as_of`.")
    state = StateBody(allow_null=True, help_text="As it is; null with `as_of`.")


class DatasetDetail(EntryDetail):
    source = s.CharField(allow_blank=True)


class SegmentDetail(EntryDetail):
    pass


def _catalog_page(row: type[s.Serializer], name: str) -> type[s.Serializer]:
    counts = s.DictField(
        child=s.DictField(child=s.IntegerField()), allow_null=True, help_text="When asked for."
    )
    total = s.IntegerField(help_text="How many match on all pages.")
    meant = s.CharField(allow_null=True, help_text="The nearest name, when no word was found.")
    return page_of(row, name, total=total, meant=meant, facets=counts)


class DatasetRow(EntryRow):
    pass


class SegmentRow(EntryRow):
    pass


MetricPage = _catalog_page(MetricRow, "MetricPage")
DatasetPage = _catalog_page(DatasetRow, "DatasetPage")
SegmentPage = _catalog_page(SegmentRow, "SegmentPage")
VersionPage = page_of(VersionRow, "VersionPage")
