from rest_framework import serializers as s

from api.schemas.shared import page_of


class AuditEventRow(s.Serializer):
    sequence = s.IntegerField()
    happened_at = s.DateTimeField()
    recorded_at = s.DateTimeField()
    is_simulated = s.BooleanField(help_text="Made while a history was loaded.")
    actor_id = s.IntegerField(allow_null=True, help_text="None is the system.")
    actor_label = s.CharField()
    via = s.CharField()
    action = s.CharField()
    subject_type = s.CharField()
    subject_id = s.CharField()
    subject_label = s.CharField()
    reason = s.CharField(allow_blank=True)
    detail = s.DictField()
    request_id = s.CharField(allow_blank=True)
    previous_hash = s.CharField()
    hash = s.CharField(help_text="SHA-256 over the previous hash and this row.")


AuditEventPage = page_of(AuditEventRow, "AuditEventPage")
