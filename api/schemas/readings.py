from rest_framework import serializers as s


class _Range(s.Serializer):
    grain = s.CharField()
    group_by = s.ListField(child=s.CharField())
    to = s.DateField(allow_null=True)

    def get_fields(self):
        # `from` is a word of Python.
        return {**super().get_fields(), "from": s.DateField(allow_null=True)}


class PointBody(s.Serializer):
    period = s.DateField(help_text="Its first day.")
    period_until = s.DateField(help_text="The first day after it.")
    label = s.CharField()
    members = s.ListField(
        child=s.CharField(allow_null=True), help_text="One for each dimension of group_by."
    )
    value = s.FloatField(allow_null=True, help_text="Exact, with all its digits.")
    numerator = s.FloatField(allow_null=True)
    denominator = s.FloatField(allow_null=True)
    version = s.IntegerField(help_text="The version that the value was computed by.")
    resolution = s.CharField(help_text="The definitions that it was computed by, as a hash.")
    run = s.IntegerField(allow_null=True, help_text="The backfill that computed it.")
    known_from = s.DateTimeField(allow_null=True, help_text="None for a live answer.")
    is_complete = s.BooleanField()


class MarkBody(s.Serializer):
    on = s.DateField()
    name = s.CharField()
    version = s.IntegerField()
    previous = s.IntegerField()
    treatment = s.CharField(allow_blank=True)
    change_class = s.CharField()
    headline = s.CharField(allow_blank=True)


class ValuesBody(_Range):
    metric = s.CharField()
    version = s.IntegerField(allow_null=True, help_text="The version asked for; None: the line.")
    as_of = s.DateTimeField(allow_null=True)
    line = s.CharField()
    unit = s.DictField(allow_null=True)
    complete_until = s.DateField(allow_null=True)
    doubt = s.CharField(allow_blank=True, help_text="Why the values are in doubt, if they are.")
    note = s.CharField(
        allow_blank=True,
        help_text="Why there is nothing to see, or how far it is the official line.",
    )
    restated = s.IntegerField(help_text="How many values differ from what was reported then.")
    restatement = s.CharField(allow_blank=True)
    marks = MarkBody(many=True)
    points = PointBody(many=True)
    second = PointBody(many=True, help_text="The older series, while both are kept.")


class SqlBody(_Range):
    metric = s.CharField()
    version = s.IntegerField()
    resolution = s.CharField()
    dialect = s.CharField()
    sql = s.CharField()


class NodeBody(s.Serializer):
    key = s.CharField()
    name = s.CharField()
    kind = s.CharField()
    tier = s.IntegerField()
    lifecycle = s.CharField()
    domain = s.CharField()
    distance = s.IntegerField(help_text="In steps.")
    owners = s.ListField(child=s.CharField())


class EdgeBody(s.Serializer):
    source = s.CharField()
    target = s.CharField(help_text="What is computed from the source.")
    how = s.CharField()
    columns = s.ListField(child=s.CharField())


class TableBody(s.Serializer):
    dataset = s.CharField()
    source = s.CharField()
    tables = s.ListField(child=s.CharField())
    columns = s.ListField(child=s.CharField())


class LineageBody(s.Serializer):
    key = s.CharField()
    upstream = NodeBody(many=True)
    downstream = NodeBody(many=True)
    edges = EdgeBody(many=True)
    tables = TableBody(many=True)


class DimensionBody(s.Serializer):
    name = s.CharField()
    is_stored = s.BooleanField()


class DimensionsBody(s.Serializer):
    metric = s.CharField()
    version = s.IntegerField()
    grains = s.ListField(child=s.CharField())
    dimensions = DimensionBody(many=True)
