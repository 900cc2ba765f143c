from django.db import models


class Status(models.TextChoices):
    """The stored states of a change request. *Approved* and *out of date* are computed."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    SCHEDULED = "scheduled", "Scheduled"
    PUBLISHING = "publishing", "Publishing"
    PUBLISHED = "published", "Published"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Verdict(models.TextChoices):
    COMMENT = "comment", "Comment"
    APPROVE = "approve", "Approve"
    REQUEST_CHANGES = "request_changes", "Request changes"


class PublishWhen(models.TextChoices):
    APPROVED = "approved", "As soon as approved"
    BUTTON = "button", "When somebody presses Publish"
    DATE = "date", "On a day"


S = Status

# The whole life of a change request: action -> (states it may start from, state it leads to).
# `None` leaves the state as it is. Publishing is entered and left within one transaction; it is
# what the database demands of a request while versions are written.
# docs/concepts/change-requests.md draws this table; a test keeps the two equal.
MOVES: dict[str, tuple[frozenset[Status], Status | None]] = {
    "edit": (frozenset({S.DRAFT, S.IN_REVIEW, S.CHANGES_REQUESTED, S.SCHEDULED}), None),
    # An edit of what is in review ends the review at once: nobody approves a text that is being
    # rewritten, and what was approved does not count for another.
    "take_back": (frozenset({S.IN_REVIEW, S.SCHEDULED}), S.DRAFT),
    "submit": (frozenset({S.DRAFT, S.IN_REVIEW, S.CHANGES_REQUESTED, S.SCHEDULED}), S.IN_REVIEW),
    "comment": (frozenset({S.DRAFT, S.IN_REVIEW, S.CHANGES_REQUESTED, S.SCHEDULED}), None),
    "approve": (frozenset({S.IN_REVIEW}), None),
    "request_changes": (frozenset({S.IN_REVIEW, S.SCHEDULED}), S.CHANGES_REQUESTED),
    "schedule": (frozenset({S.IN_REVIEW}), S.SCHEDULED),
    "start_publishing": (frozenset({S.IN_REVIEW, S.SCHEDULED}), S.PUBLISHING),
    "finish_publishing": (frozenset({S.PUBLISHING}), S.PUBLISHED),
    "reject": (frozenset({S.IN_REVIEW, S.CHANGES_REQUESTED, S.SCHEDULED}), S.REJECTED),
    "withdraw": (
        frozenset({S.DRAFT, S.IN_REVIEW, S.CHANGES_REQUESTED, S.SCHEDULED}),
        S.WITHDRAWN,
    ),
}
OPEN = MOVES["withdraw"][0]
