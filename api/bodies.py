"""Bodies of writes, read by their documented shapes. A field that is not known is never ignored."""

from rest_framework import serializers as s

from api.errors import problems_in
from core.errors import Invalid


def object_in(request) -> dict:
    """The body as a JSON object; an empty one when nothing was sent."""
    body = request.data
    if not isinstance(body, dict):
        raise _refused([_problem("", "not_an_object", "Send one JSON object: {…}.")])
    return dict(body)


def read(request, shape: type[s.Serializer]) -> dict:
    """The fields of a small body. Raises Invalid with the place of everything that is wrong."""
    body = object_in(request)
    form = shape(data=body)
    problems = [
        _problem(name, "unknown_field", _unknown(name, form.fields))
        for name in sorted(set(body) - set(form.fields))
    ]
    if not form.is_valid():
        problems += problems_in(form.errors)
    if problems:
        raise _refused(problems)
    return form.validated_data


def _unknown(name: str, known) -> str:
    fields = ", ".join(sorted(known)) or "none"
    return f"There is no field “{name}” here. Known: {fields}."


def _problem(place: str, code: str, message: str) -> dict:
    return {"place": place, "code": code, "message": message}


def _refused(problems: list[dict]) -> Invalid:
    first = problems[0]
    place = f"{first['place']}: " if first["place"] and first["code"] != "unknown_field" else ""
    return Invalid(f"{place}{first['message']}", problems=problems)
