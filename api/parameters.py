"""Query parameters, read with a clear answer when they are wrong."""

from collections.abc import Collection
from datetime import date, datetime

from rest_framework.request import Request

from core.errors import Invalid
from core.instants import read_instant, within


class Refused(Invalid):
    """One parameter cannot be used; says which and why."""

    status = 400

    def __init__(self, place: str, message: str, **details):
        problem = {"place": place, "code": "invalid", "message": message}
        super().__init__(message, problems=[problem], **details)


def only(request: Request, known: Collection[str]) -> None:
    """Refuse parameters that the address does not know: a misspelt filter must not be ignored."""
    unknown = sorted(set(request.query_params) - set(known) - {"format"})
    if unknown:
        raise Refused(
            unknown[0],
            f"There is no parameter “{unknown[0]}” here. "
            f"Known: {', '.join(sorted(known)) or 'none'}.",
        )
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise Refused(name, f"“{name}” is given twice. Give it once; lists have commas.")
        if "\0" in values[0]:
            raise Refused(name, f"“{name}” holds the character NUL. Take it out.")


def choice(request: Request, name: str, among: Collection[str], default: str | None = None):
    given = request.query_params.get(name, default)
    if given is not None and given not in among:
        raise Refused(name, f"“{given}” is no {name}. Choose among {', '.join(among)}.")
    return given


def several(request: Request, name: str, among: Collection[str] | None = None) -> list[str]:
    """A list with commas between: each of `among`, when that is given."""
    given = [part.strip() for part in request.query_params.get(name, "").split(",")]
    found = list(dict.fromkeys(part for part in given if part))
    wrong = [part for part in found if among is not None and part not in among]
    if wrong:
        raise Refused(name, f"“{wrong[0]}” is no {name}. Choose among {', '.join(among)}.")
    return found


def flag(request: Request, name: str) -> bool:
    return choice(request, name, ("true", "false"), "false") == "true"


def whole_number(request: Request, name: str, *, default: int | None, low: int, high: int):
    given = request.query_params.get(name)
    if given is None:
        return default
    try:
        number = int(given)
    except ValueError as error:
        raise Refused(name, f"“{given}” is no whole number.") from error
    if not low <= number <= high:
        raise Refused(name, f"{name} lies between {low} and {high}.")
    return number


def day(request: Request, name: str, default: date | None = None) -> date | None:
    given = request.query_params.get(name)
    if given is None:
        return default
    try:
        return within(date.fromisoformat(given))
    except ValueError as error:
        raise Refused(name, f"“{given}” is no day. Write it like 2026-03-31.") from error


def instant(request: Request, name: str) -> datetime | None:
    """An instant of record time; a bare day means its end, in UTC."""
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        return read_instant(given)
    except ValueError as error:
        raise Refused(
            name, f"“{given}” is no instant. Write 2026-03-31 or 2026-03-31T12:00:00Z."
        ) from error
