"""Between the editor's form and a request's content: what the fields show and what they become.

The form is one item of the request; the other items of its draft stay as they are.
"""

import re
from collections.abc import Iterator

import yaml
from django.http import QueryDict

from core.errors import Invalid
from semantics.card import Unit, Words
from semantics.definition import Aggregation, DatasetSpec, Grain
from web.asked import is_whole

TEXTS = (
    ("definition", "In plain words", "One sentence that a newcomer understands."),
    ("is_not", "What it is not", "What the number is often mistaken for."),
    ("business_question", "Business question", "Which question does it answer?"),
    ("caveats", "Caveats", "What a reader must know before acting on it."),
    ("notes", "Notes", ""),
    ("examples", "Example", "A small case, worked out."),
    ("gaming_risk", "Gaming risk", "How could somebody push it without doing good?"),
    ("proxy_for", "Stands for", "If it is a proxy: of what, and with which limits."),
)
# Written less often, and folded until somebody asks; the last two are of metrics alone.
MORE_TEXTS = ("notes", "examples", "gaming_risk", "proxy_for")
_OF_METRICS = ("business_question", "gaming_risk", "proxy_for")
CHOICES = {
    "direction": (("neutral", "Neither"), ("up", "Up is good"), ("down", "Down is good")),
    "role": (
        ("", "None"),
        ("north_star", "North star"),
        ("key_result", "Key result"),
        ("input", "Input"),
        ("guardrail", "Guardrail"),
        ("diagnostic", "Diagnostic"),
    ),
    "timing": (("", "None"), ("leading", "Leading"), ("lagging", "Lagging")),
}
TREATMENTS = (
    ("", "Not chosen yet", "Needed when past values may move."),
    ("restate", "Restate the past", "The new definition is official for all periods."),
    ("break", "Only from now on", "A break in the series is marked at the effective day."),
    ("keep_both", "Keep both series", "Both are shown until the day below."),
)
UNITS = tuple(Unit.model_fields["kind"].annotation.__args__)
_INPUT = re.compile(
    r"^(?P<metric>\w+)(?:\s+as\s+(?P<alias>\w+))?"
    r"(?:\s+(?P<count>\d+)\s+(?P<grain>day|week|month|quarter|year)s?\s+(?:before|earlier|ago))?"
    r"(?:\s+where\s+(?P<where>.+))?$",
    re.IGNORECASE,
)


def texts_in(given) -> list[str]:
    """A list of texts as it is, and rubbish that a draft may hold as nothing."""
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def group_in(spec: dict, name: str) -> dict:
    """A group of fields as it is, and rubbish that a draft may hold as none."""
    given = spec.get(name)
    return given if isinstance(given, dict) else {}


def lines_of_inputs(inputs) -> str:
    """Inputs of a derived metric, one a line: `net_sales as before 1 week earlier`."""
    rows = inputs if isinstance(inputs, list) else []
    return "\n".join(_line_of(given) for given in rows if isinstance(given, dict))


def _line_of(given: dict) -> str:
    line = str(given.get("metric", ""))
    if given.get("alias"):
        line += f" as {given['alias']}"
    if offset := group_in(given, "offset"):
        plural = "" if offset.get("count") == 1 else "s"
        line += f" {offset.get('count')} {offset.get('grain')}{plural} earlier"
    filters = texts_in(given.get("filters"))
    if len(filters) > 1:  # An OR within one of them binds less than the AND between them.
        filters = [f"({one})" for one in filters]
    if filters:
        line += f" where {' AND '.join(filters)}"
    return line


def inputs_from(text: str) -> list[dict]:
    found = []
    for number, line in enumerate(_lines(text), start=1):
        match = _INPUT.match(line)
        if match is None:
            raise Invalid(
                f"Line {number} of the inputs cannot be read: “{line}”. Write e.g. "
                "“net_sales as before 1 week earlier”.",
                problems=[{"place": "inputs", "code": "syntax", "message": line}],
            )
        part = match.groupdict()
        given: dict = {"metric": part["metric"]}
        if part["alias"]:
            given["alias"] = part["alias"]
        if part["count"]:
            given["offset"] = {"count": int(part["count"]), "grain": part["grain"].lower()}
        if part["where"]:
            given["filters"] = [part["where"]]
        found.append(given)
    return found


def texts_of(item: dict, *, more: bool) -> list[tuple[str, str, str, str]]:
    """The texts of a card as (name, label, help, value): those always seen, or the further ones."""
    return [
        (name, label, help_text, item["words"].get(name, ""))
        for name, label, help_text in TEXTS
        if (name in MORE_TEXTS) == more and (item["kind"] == "metric" or name not in _OF_METRICS)
    ]


def item_from(post: QueryDict, item: dict) -> dict:
    """The item with what was typed in its place."""
    changed = {**item, "words": _words_from(post, item["words"]), "spec": _spec_from(post, item)}
    changed["treatment"] = post.get("treatment", "")
    changed["keep_both_until"] = post.get("keep_both_until") or None
    if "owners" in post and (stewardship := item.get("stewardship")):
        changed["stewardship"] = _stewardship_from(post, stewardship)
    if "lifecycle" in post:
        changed["lifecycle"] = post["lifecycle"] or None
    return changed


def content_from(post: QueryDict, content: dict, key: str) -> dict:
    """The content of the draft with the form's item and the request's own fields replaced."""
    items = [item_from(post, item) if item["key"] == key else item for item in content["items"]]
    return {
        **content,
        "title": post.get("title", "").strip() or content["title"],
        "reason": post.get("reason", "").strip(),
        "effective_from": post.get("effective_from") or content["effective_from"],
        "publish_when": post.get("publish_when", content["publish_when"]),
        "publish_on": post.get("publish_on") or None,
        "items": items,
    }


def _words_from(post: QueryDict, words: dict) -> dict:
    changed = dict(words)
    changed["name"] = post.get("name", "").strip() or words["name"]
    for name, _, _ in TEXTS:
        if name in post:
            changed[name] = post[name].strip()
    for name in CHOICES:
        if name in post:
            changed[name] = post[name]
    if "synonyms" in post:
        changed["synonyms"] = _commas(post["synonyms"])
    if "tags" in post:
        changed["tags"] = _commas(post["tags"])
    if "unit_kind" in post:
        changed["unit"] = {
            "kind": post["unit_kind"],
            "code": post.get("unit_code", "").strip(),
            "decimals": _whole(post, "unit_decimals", 2),
        }
    if "is_kpi" in post or "name" in post:
        changed["is_kpi"] = post.get("is_kpi") == "on"
    return changed


def _stewardship_from(post: QueryDict, stewardship: dict) -> dict:
    changed = {**stewardship, "owners": _commas(post["owners"])}
    if "tier" in post:
        changed["tier"] = _whole(post, "tier", stewardship["tier"])
    if "domain" in post:
        changed["domain"] = post["domain"]
    if "target" in post:
        changed["target"] = post["target"].strip() or None
        changed["target_until"] = post.get("target_until") or None
    return changed


def _spec_from(post: QueryDict, item: dict) -> dict:
    spec = item["spec"]
    if "yaml" in post:
        return _yaml_from(post["yaml"])
    if item["kind"] == "segment" and "filter" in post:
        return {**spec, "dataset": post.get("dataset", ""), "filter": post["filter"].strip()}
    if "type" not in post:
        return spec
    changed = dict(spec)
    changed["filters"] = _lines(post.get("filters", ""))
    changed["grains"] = [grain for grain in Grain if grain in post.getlist("grains")] or ["day"]
    changed["dimensions"] = post.getlist("dimensions")
    changed["segments"] = post.getlist("segments")
    fill = post.get("fill_nulls_with", "").strip()
    changed["fill_nulls_with"] = int(fill) if is_whole(fill.removeprefix("-")) else None
    read = _BY_TYPE.get(str(spec.get("type")))
    return changed | dict(read(post, spec)) if read else changed


def as_yaml(spec: dict) -> str:
    """A dataset as a person writes it: in the order of the reference, a column or entity a line."""
    ordered = {name: spec[name] for name in DatasetSpec.model_fields if name in spec} | spec
    if isinstance(ordered.get("dimensions"), list):
        ordered["dimensions"] = [_said(each) for each in ordered["dimensions"]]
    return yaml.safe_dump(
        ordered, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )


def _said(part):
    """What a dimension says beside its defaults, which would hide it."""
    if not isinstance(part, dict):
        return part
    return {name: value for name, value in part.items() if value not in (None, False)}


def _yaml_from(text: str) -> dict:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Invalid(
            f"The YAML cannot be read{where}: {getattr(error, 'problem', error)}.",
            problems=[{"place": "spec", "code": "yaml", "message": str(error)}],
        ) from error
    if not isinstance(document, dict):
        raise Invalid("The YAML is no mapping of fields, e.g. “type: segment”.", problems=[])
    return document


def _simple(post: QueryDict, spec: dict) -> Iterator[tuple[str, object]]:
    yield "dataset", post.get("dataset", spec.get("dataset"))
    yield "aggregation", post.get("aggregation", Aggregation.SUM)
    yield "expression", post.get("expression", "").strip() or "1"
    is_percentile = post.get("aggregation") == Aggregation.PERCENTILE
    percentile = post.get("percentile", "").strip() if is_percentile else ""
    try:
        yield "percentile", float(percentile) if percentile else None
    except ValueError as error:
        raise Invalid(f"“{percentile}” is no percentile. Write e.g. 0.95.") from error


def _ratio(post: QueryDict, spec: dict) -> Iterator[tuple[str, object]]:
    for side in ("numerator", "denominator"):
        old = group_in(spec, side)
        yield (
            side,
            {
                **old,
                "metric": post.get(side, old.get("metric")),
                "filters": _lines(post.get(f"{side}_filters", "")),
            },
        )


def _derived(post: QueryDict, spec: dict) -> Iterator[tuple[str, object]]:
    yield "expression", post.get("expression", "").strip() or spec.get("expression", "")
    stored, typed = spec.get("inputs", []), post.get("inputs", "")
    # A line says less than an input may hold; what nobody touched stays as it is.
    is_touched = _lines(typed) != _lines(lines_of_inputs(stored))
    yield "inputs", inputs_from(typed) if is_touched else stored


def _cumulative(post: QueryDict, spec: dict) -> Iterator[tuple[str, object]]:
    yield "metric", post.get("metric", spec.get("metric"))
    to_date = post.get("grain_to_date", "")
    is_trailing = not to_date and post.get("window_count", "").strip()
    yield "grain_to_date", to_date or None
    # Neither: since the beginning.
    yield "window", _window(post) if is_trailing else None


def _conversion(post: QueryDict, spec: dict) -> Iterator[tuple[str, object]]:
    for name in ("base", "conversion", "entity", "calculation"):
        yield name, post.get(name, spec.get(name))
    yield "window", _window(post)


_BY_TYPE = {
    "simple": _simple,
    "ratio": _ratio,
    "derived": _derived,
    "cumulative": _cumulative,
    "conversion": _conversion,
}


def _window(post: QueryDict) -> dict:
    return {
        "count": _whole(post, "window_count", 28),
        "grain": post.get("window_grain") or Grain.DAY.value,
    }


def _whole(post: QueryDict, name: str, default: int) -> int:
    given = post.get(name, "").strip()
    if not given:
        return default
    if not is_whole(given):
        raise Invalid(f"“{given}” is no whole number ({name.replace('_', ' ')}).")
    return int(given)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


STARTS = {
    "simple": {"type": "simple", "dataset": "", "aggregation": "count", "expression": "1"},
    "ratio": {"type": "ratio", "numerator": {"metric": ""}, "denominator": {"metric": ""}},
    "derived": {"type": "derived", "expression": "", "inputs": []},
    "cumulative": {"type": "cumulative", "metric": "", "window": {"count": 28, "grain": "day"}},
    "conversion": {
        "type": "conversion",
        "base": "",
        "conversion": "",
        "entity": "",
        "window": {"count": 28, "grain": "day"},
    },
}


def blank_words(name: str, definition: str) -> dict:
    return Words(name=name, definition=definition).model_dump(mode="json")
