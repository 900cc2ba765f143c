from rest_framework import serializers as s

from api.schemas.shared import page_of


class MoveBody(s.Serializer):
    reason = s.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=8000,
        help_text="Kept in the audit log; needed to release.",
    )


class ComputeBody(s.Serializer):
    metric = s.CharField(max_length=63)
    to = s.DateField(help_text="The first day that is not computed any more.")
    dimensions = s.ListField(
        child=s.CharField(max_length=190),
        required=False,
        max_length=50,
        help_text="Which stored dimensions are computed beside the total; all of them unless told.",
    )
    reason = s.CharField(max_length=300, help_text="Kept with the run and in the audit log.")
    pin = s.CharField(
        required=False,
        max_length=64,
        help_text="`pin` of a plan that was shown: 409 `out_of_date` when something else is "
        "official by now.",
    )
    dry_run = s.BooleanField(
        default=False, help_text="Only say what would be computed. Nothing is started."
    )

    def get_fields(self):
        # `from` is a word of Python.
        return {**super().get_fields(), "from": s.DateField()}


class ComputePlan(s.Serializer):
    """What a run would compute; sent back, `pin` makes sure that it is still that."""

    pin = s.CharField()
    metric = s.CharField()
    to = s.DateField(help_text="The first day that is not computed any more.")
    versions = s.ListField(
        child=s.IntegerField(), help_text="Those that are official in the range, oldest first."
    )
    dimensions = s.ListField(child=s.CharField())
    source_rows = s.IntegerField(
        allow_null=True, help_text="About, from what earlier runs counted; null when none did."
    )
    windows = s.IntegerField(allow_null=True)

    def get_fields(self):
        return {**super().get_fields(), "from": s.DateField()}


class BackfillRow(s.Serializer):
    id = s.IntegerField()
    purpose = s.CharField()
    status = s.CharField()
    to = s.DateField(help_text="The first day that is not computed any more.")
    metrics = s.ListField(child=s.CharField())
    reason = s.CharField(allow_blank=True)
    started_by = s.CharField()
    created_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    finished_at = s.DateTimeField(allow_null=True)
    error = s.CharField(allow_blank=True)
    windows = s.IntegerField()
    windows_done = s.IntegerField()
    windows_parked = s.IntegerField(help_text="Given up after too many attempts.")
    staged_rows = s.IntegerField()
    checksum = s.CharField(allow_blank=True, help_text="Over the values, once it is done.")

    def get_fields(self):
        # `from` is a word of Python.
        return {**super().get_fields(), "from": s.DateField()}


class Window(s.Serializer):
    position = s.IntegerField()
    start = s.DateField()
    until = s.DateField()
    state = s.CharField()
    attempts = s.IntegerField()
    error = s.CharField(allow_blank=True)
    source_rows = s.IntegerField(allow_null=True)
    staged_rows = s.IntegerField()
    seconds = s.FloatField(allow_null=True)
    done_at = s.DateTimeField(allow_null=True)


class BackfillDetail(BackfillRow):
    result = s.DictField(help_text="Rows, moved values and, for a preview, its figures.")
    window_list = Window(many=True)


BackfillPage = page_of(BackfillRow, "BackfillPage")
