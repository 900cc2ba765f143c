from rest_framework import serializers as s

from api.schemas.shared import Person, page_of
from governance.choices import Verdict

# --- what is sent ---


class NothingBody(s.Serializer):
    """Nothing needs to be said."""


class SubmitBody(s.Serializer):
    lock = s.IntegerField(min_value=1, help_text="The lock of the draft that was read.")


class PreviewBody(s.Serializer):
    dimension = s.CharField(
        required=False, max_length=200, help_text="Compare by it, beside the total."
    )


class ReviewBody(s.Serializer):
    revision = s.CharField(
        source="revision_hash", max_length=64, help_text="The hash of the revision that was read."
    )
    verdict = s.ChoiceField(Verdict.choices)
    comment = s.CharField(
        required=False, allow_blank=True, default="", max_length=20_000, trim_whitespace=False
    )


class PublishBody(s.Serializer):
    revision = s.CharField(
        source="revision_hash", max_length=64, help_text="The hash of the revision that was read."
    )


class WithdrawBody(s.Serializer):
    reason = s.CharField(required=False, allow_blank=True, default="", max_length=20_000)


class RejectBody(s.Serializer):
    reason = s.CharField(max_length=20_000)


class RebaseBody(s.Serializer):
    theirs = s.ListField(
        child=s.CharField(max_length=300),
        required=False,
        default=list,
        help_text="Places of clashes at which the text in force is taken in place of the draft's.",
    )


class SplitBody(s.Serializer):
    keys = s.ListField(
        child=s.CharField(max_length=63),
        allow_empty=False,
        help_text="The items that move; at least one stays.",
    )


class FormulaBody(s.Serializer):
    key = s.CharField(max_length=63, help_text="The item, a metric, whose formula it is.")
    formula = s.CharField(
        max_length=20_000,
        trim_whitespace=False,
        help_text="E.g. sum(amount) / count(distinct customer).",
    )
    dataset = s.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=63,
        help_text="Whose columns are aggregated. Left out: the one that has them.",
    )
    lock = s.IntegerField(min_value=1, help_text="The lock of the draft that was read.")


class CommentBody(s.Serializer):
    text = s.CharField(max_length=20_000)
    place = s.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=160,
        help_text="What it is about, e.g. items.net_sales.words.definition.",
    )


class BackBody(s.Serializer):
    version = s.IntegerField(min_value=1, help_text="The number of the version to go back to.")
    reason = s.CharField(required=False, allow_blank=True, default="", max_length=8000)


# --- what is answered ---


class ChangedItem(s.Serializer):
    key = s.CharField()
    kind = s.CharField()
    version = s.IntegerField(allow_null=True, help_text="What it became, once published.")


class RevisionRow(s.Serializer):
    number = s.IntegerField()
    hash = s.CharField(help_text="What a review and a publish are bound to.")
    submitted_at = s.DateTimeField()
    submitted_by = Person()
    change_class = s.CharField()


class ChangeRequestRow(s.Serializer):
    id = s.IntegerField()
    name = s.CharField(help_text="CR-n")
    title = s.CharField()
    author = Person()
    status = s.CharField()
    change_class = s.CharField(allow_blank=True)
    items = ChangedItem(many=True)
    publish_when = s.CharField()
    publish_on = s.DateField(allow_null=True)
    revision = RevisionRow(allow_null=True)
    created_at = s.DateTimeField()
    submitted_at = s.DateTimeField(allow_null=True)
    closed_at = s.DateTimeField(allow_null=True)
    closing_reason = s.CharField(allow_blank=True)


class DraftBody(s.Serializer):
    lock = s.IntegerField(help_text="Send it with the next edit and with the submit.")
    content = s.DictField()
    saved_at = s.DateTimeField()
    saved_by = Person()
    editors = Person(many=True)


class DifferenceBody(s.Serializer):
    place = s.CharField()
    change = s.CharField()
    sentence = s.CharField()


class ItemAssessmentBody(s.Serializer):
    key = s.CharField()
    is_new = s.BooleanField()
    change_class = s.CharField(allow_null=True)
    reason = s.CharField()
    tier = s.IntegerField()
    domains = s.ListField(child=s.CharField())
    differences = DifferenceBody(many=True)


class ProblemBody(s.Serializer):
    place = s.CharField(allow_blank=True)
    code = s.CharField()
    message = s.CharField()
    fix = s.CharField(allow_blank=True)
    level = s.CharField(help_text="blocks, needs_answer or advice.")


class AffectedBody(s.Serializer):
    key = s.CharField()
    name = s.CharField()
    tier = s.IntegerField()
    distance = s.IntegerField()


class AssessmentBody(s.Serializer):
    change_class = s.CharField(allow_null=True)
    reason = s.CharField(allow_blank=True)
    items = ItemAssessmentBody(many=True)
    problems = ProblemBody(many=True)
    affected = AffectedBody(many=True, help_text="What is not in it and moves because of it.")


class LineBody(s.Serializer):
    name = s.CharField()
    state = s.CharField(help_text="ok, missing or blocked.")
    sentence = s.CharField()
    who = s.ListField(child=s.CharField())


class ReadinessBody(s.Serializer):
    is_ready = s.BooleanField()
    why_not = s.CharField(allow_blank=True)
    lines = LineBody(many=True)


class ReviewRow(s.Serializer):
    revision = s.IntegerField()
    revision_hash = s.CharField()
    reviewer = Person()
    verdict = s.CharField()
    comment = s.CharField(allow_blank=True)
    via = s.CharField()
    reviewed_at = s.DateTimeField()


class CommentRow(s.Serializer):
    id = s.IntegerField()
    author = Person()
    place = s.CharField(allow_blank=True)
    text = s.CharField()
    created_at = s.DateTimeField()
    resolved_at = s.DateTimeField(allow_null=True, help_text="When it was settled.")
    resolved_by = Person(allow_null=True)


class ChangeRequestDetail(ChangeRequestRow):
    draft = DraftBody()
    revisions = RevisionRow(many=True)
    needs = s.ListField(child=s.CharField(), help_text="Whose approvals policy asks for, and why.")
    assessment = AssessmentBody(allow_null=True, help_text="None once it is closed.")
    readiness = ReadinessBody(allow_null=True, help_text="None once it is closed.")
    reviews = ReviewRow(many=True)
    comments = CommentRow(many=True)
    why_not = s.DictField(
        child=s.CharField(allow_null=True),
        help_text="For each action: why the caller may not do it now, or None.",
    )


class RebasedBody(s.Serializer):
    clashes = s.ListField(child=s.CharField(), help_text="Places where both sides changed.")
    request = ChangeRequestDetail()


class FormulaAppliedBody(s.Serializer):
    sentence = s.CharField(help_text="What the formula stands for, in words.")
    dataset = s.CharField(allow_blank=True, help_text="Whose columns it aggregates.")
    new = s.ListField(child=s.CharField(), help_text="Items that came into the request with it.")
    reused = s.ListField(child=s.CharField(), help_text="Metrics that it uses by their keys.")
    dropped = s.ListField(
        child=s.CharField(),
        help_text="Items that an earlier formula had brought and nothing uses any more.",
    )
    request = ChangeRequestDetail()


class PreviewPointBody(s.Serializer):
    period = s.DateField()
    label = s.CharField()
    old = s.FloatField(allow_null=True)
    new = s.FloatField(allow_null=True)
    difference = s.FloatField(allow_null=True)
    difference_pct = s.FloatField(allow_null=True)
    is_complete = s.BooleanField()


class MemberBody(s.Serializer):
    member = s.CharField(allow_null=True)
    periods = s.IntegerField()
    old_mean = s.FloatField(allow_null=True)
    new_mean = s.FloatField(allow_null=True)
    mean_pct = s.FloatField(allow_null=True)
    widest_pct = s.FloatField(allow_null=True)


class FiguresBody(s.Serializer):
    key = s.CharField()
    grain = s.CharField()
    dimension = s.CharField(allow_blank=True)
    headline = s.CharField(allow_blank=True)
    is_new = s.BooleanField()
    is_unmoved = s.BooleanField()
    compared = s.IntegerField()
    moved = s.IntegerField()
    appeared = s.IntegerField()
    vanished = s.IntegerField()
    mean_pct = s.FloatField(allow_null=True)
    lowest = PreviewPointBody(allow_null=True)
    highest = PreviewPointBody(allow_null=True)
    widest = PreviewPointBody(allow_null=True)
    points = PreviewPointBody(many=True)
    members = MemberBody(many=True)


class PreviewAnswer(s.Serializer):
    state = s.CharField(help_text="none, waiting, running, done, failed or cancelled.")
    backfill = s.IntegerField(allow_null=True)
    progress = s.FloatField(help_text="0 to 1.")
    elapsed = s.FloatField(help_text="Seconds.")
    error = s.CharField(allow_blank=True)
    figures = FiguresBody(many=True)


ChangeRequestPage = page_of(ChangeRequestRow, "ChangeRequestPage")
