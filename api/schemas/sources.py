from rest_framework import serializers as s

from api.schemas.shared import page_of


class SourceRow(s.Serializer):
    key = s.CharField()
    name = s.CharField()
    kind = s.CharField(help_text="duckdb or postgresql.")
    description = s.CharField(allow_blank=True)
    attribution = s.CharField(allow_blank=True)
    first_day = s.DateField(help_text="The first day that backfills reach back to.")
    time_limit_seconds = s.IntegerField(help_text="A query that takes longer is stopped.")


SourcePage = page_of(SourceRow, "SourcePage")
