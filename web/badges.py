"""What every state looks like: a word, a colour, a shape, and a sentence that explains it.

The one place for it. A badge is never colour alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How one state is shown. `help` says what the state means for the reader."""

    word: str
    tone: str = ""
    icon: str = ""
    help: str = ""


CLASSES = {
    "editorial": Look("Editorial", "", "edit", "Words that help to find or understand the metric."),
    "meaning": Look("Meaning", "info", "comment", "Words that readers act on. No value moves."),
    "stewardship": Look("Stewardship", "", "people", "Who answers for it, and what was promised."),
    "additive": Look("Additive", "good", "plus", "Something new. No past value can move."),
    "restating": Look("Restating", "warn", "shape-diamond", "Past values may move."),
    "retiring": Look("Retiring", "bad", "trash", "The metric stops being computed."),
}

STATUSES = {
    "draft": Look("Draft", "", "edit", "Being written. Only its editors see what changes."),
    "in_review": Look("In review", "accent", "shape-half", "Waits for the approvals it needs."),
    "changes_requested": Look(
        "Changes requested", "warn", "shape-triangle", "A reviewer asks for something different."
    ),
    "scheduled": Look("Scheduled", "info", "clock", "Approved, and published on its date."),
    "publishing": Look("Publishing", "info", "retry", "The new versions are being written."),
    "published": Look("Published", "good", "shape-check", "In force. It cannot be edited."),
    "rejected": Look("Rejected", "bad", "shape-cross", "Closed by a steward, with a reason."),
    "withdrawn": Look("Withdrawn", "", "shape-dash", "Closed by its author."),
    "approved": Look("Approved", "good", "shape-check", "Has every approval that it needs."),
    "out_of_date": Look(
        "Out of date", "warn", "shape-triangle", "The metric moved on. The request needs an update."
    ),
}

LIFECYCLES = {
    "proposed": Look("Proposed", "info", "shape-ring", "Not in force yet."),
    "active": Look("Active", "good", "shape-circle", "In use and computed."),
    "deprecated": Look("Deprecated", "warn", "shape-triangle", "Computed until its last day."),
    "retired": Look("Retired", "", "shape-dash", "No longer computed. Its history stays."),
}

TIERS = {
    "1": Look("Tier 1", "accent", "star", "Decisions of the whole company depend on it."),
    "2": Look("Tier 2", "", "", "Decisions of several teams depend on it."),
    "3": Look("Tier 3", "", "", "One team uses it."),
    "9": Look("Local", "", "shape-ring", "Unreviewed. No other metric may be built on it."),
}

ROLES = {
    "north_star": Look("North star", "accent", "star", "The one number that the company follows."),
    "key_result": Look("Key result", "", "flag", "What should move when the inputs do."),
    "input": Look("Input", "", "bolt", "What a team can influence by its own work."),
    "guardrail": Look("Guardrail", "", "shield", "What must not get worse meanwhile."),
    "diagnostic": Look("Diagnostic", "", "search", "Explains other numbers."),
}

# Where a value stands against its target.
STATES = {
    "on_track": Look("On track", "good", "shape-circle", "At its target, or on the way there."),
    "at_risk": Look("At risk", "warn", "shape-triangle", "Near the edge of what is acceptable."),
    "off_track": Look("Off track", "bad", "shape-square", "Missing its target."),
    "no_data": Look("No data", "", "shape-dash", "There is no value to judge by."),
    "restating": Look("Under restatement", "hatched", "retry", "Old values until it ends."),
}

# Whether a value can be trusted.
HEALTH = {
    "fresh": Look("Fresh", "good", "shape-check", "Data is complete and its checks pass."),
    "late": Look("Late", "warn", "clock", "Data is later than was promised."),
    "doubt": Look("Data in doubt", "bad", "shape-square", "A check fails. Look before you decide."),
    "unknown": Look("Not checked", "", "shape-dash", "No check has run yet."),
}

BACKFILLS = {
    "planned": Look("Planned", "info", "clock", "Waits for a worker."),
    "running": Look("Running", "accent", "retry", "Workers compute its windows."),
    "paused": Look("Paused", "warn", "pause", "Goes on when somebody resumes it."),
    "held": Look("Held back", "bad", "shape-square", "A check of the data fails."),
    "done": Look("Done", "good", "shape-check", "Its values are what readers see."),
    "failed": Look("Failed", "bad", "shape-cross", "Readers see the values from before."),
    "cancelled": Look("Cancelled", "", "shape-dash", "Readers see the values from before."),
}

WINDOWS = {
    "due": Look("Due", "", "shape-ring"),
    "leased": Look("Being computed", "accent", "retry"),
    "done": Look("Done", "good", "shape-check"),
    "parked": Look("Parked", "bad", "shape-cross", "Failed too often to be tried again by itself."),
}

CHECKS = {
    "passed": Look("Passed", "good", "shape-check"),
    "failed": Look("Failed", "bad", "shape-square"),
    "error": Look("Could not run", "warn", "shape-triangle", "An outcome is missing: not a pass."),
    "missing": Look("Not run yet", "", "shape-ring", "It runs by itself within minutes."),
}

VERDICTS = {
    "approve": Look("Approved", "good", "shape-check"),
    "request_changes": Look("Changes requested", "warn", "shape-triangle"),
    "comment": Look("Commented", "", "comment"),
}

LEVELS = {
    "blocks": Look("Blocks submit", "bad", "error"),
    "needs_answer": Look("Needs an answer", "warn", "warning"),
    "advice": Look("Advice", "info", "info"),
}

READINESS = {
    "ok": Look("Met", "good", "check"),
    "missing": Look("Missing", "warn", "shape-ring"),
    "blocked": Look("Blocked", "bad", "error"),
}

TOKENS = {
    "active": Look("Active", "good", "shape-circle"),
    "expired": Look("Expired", "", "clock"),
    "revoked": Look("Revoked", "", "shape-dash"),
}

FAMILIES = {
    "class": CLASSES,
    "status": STATUSES,
    "lifecycle": LIFECYCLES,
    "tier": TIERS,
    "role": ROLES,
    "state": STATES,
    "health": HEALTH,
    "backfill": BACKFILLS,
    "window": WINDOWS,
    "check": CHECKS,
    "verdict": VERDICTS,
    "level": LEVELS,
    "readiness": READINESS,
    "token": TOKENS,
}


def look(family: str, value) -> Look:
    """The look of a state. A state that is missing here is a mistake of ours: it fails."""
    return FAMILIES[family][str(getattr(value, "value", value))]
