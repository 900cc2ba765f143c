"""Failures that are expected, each with a code that is part of the public API.

Everything that is not an `EtalonError` is a bug and is left to fail loudly.
"""


class EtalonError(Exception):
    """Base of every expected failure: a sentence for people, a code and a status for machines."""

    code = "error"
    status = 400

    def __init__(self, message: str, **details):
        super().__init__(message)
        self.message = message
        self.details = details


class NotAllowed(EtalonError):
    """The actor may not do this, however valid the request is."""

    code = "not_allowed"
    status = 403


class TooManyAttempts(EtalonError):
    """Something was tried too often; `details["wait_seconds"]` says how long to wait."""

    code = "too_many_attempts"
    status = 429


class NotFound(EtalonError):
    """There is no such thing, or the actor may not know of it."""

    code = "not_found"
    status = 404


class WrongState(EtalonError):
    """The object is not in a state from which this action can be taken."""

    code = "wrong_state"
    status = 409


class StaleRevision(EtalonError):
    """The decision was made on a text that is no longer the one at hand."""

    code = "stale_revision"
    status = 409


class OutOfDate(EtalonError):
    """Something published since moved what this change stands on."""

    code = "out_of_date"
    status = 409


class NotReady(EtalonError):
    """Something that a publication needs is missing; `details["unmet"]` says all of it."""

    code = "not_ready"
    status = 409


class Invalid(EtalonError):
    """What was sent cannot be accepted; `details["problems"]` says all that is wrong and where."""

    code = "invalid"
    status = 422


class SourceUnavailable(EtalonError):
    """A source of data cannot be read at the moment."""

    code = "source_unavailable"
    status = 503


class SourceTooSlow(SourceUnavailable):
    """A query took longer than its source allows, and was stopped there too."""

    code = "source_too_slow"


class QueryFailed(EtalonError):
    """A source was asked and refused the query, or could not work it out."""

    code = "query_failed"
    status = 422


class TooManyRows(EtalonError):
    """An answer is larger than what may be asked for at once."""

    code = "too_many_rows"
    status = 422
