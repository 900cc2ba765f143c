"""What a new metric, dataset or segment begins as, from what the form of *Propose* says."""

import re
import unicodedata

from django.http import QueryDict

from catalog.choices import Kind, Tier
from catalog.models import Entry
from catalog.selectors.entries import specs_in_force
from core.errors import Invalid
from measurement.models import Source
from measurement.services.looks import columns_at_source
from semantics.definition import METRIC_TYPES
from semantics.problems import Level
from semantics.starts import dataset_start
from semantics.validate import problems_of
from web import editor

KINDS = tuple(Kind)
# What is known of each type before it is chosen.
TYPES = {
    "simple": "one aggregation of rows, or a formula that you type",
    "ratio": "one metric divided by another",
    "derived": "arithmetic with metrics",
    "cumulative": "a metric over a trailing window, or to date",
    "conversion": "events that were followed by others",
}


def tables_by_source() -> list[tuple[Source, list[str]]]:
    """The sources with the tables that they are known to offer, without opening them."""
    used: dict[str, set[str]] = {}
    for spec in specs_in_force().values():
        if spec.type == "dataset" and spec.relation.kind == "table":
            used.setdefault(spec.source, set()).add(spec.relation.name)
    found = []
    for source in Source.objects.all():
        schema = source.config.get("schema", "main")
        views = {f"{schema}.{name}" for name in source.config.get("views", {})}
        found.append((source, sorted(views | used.get(source.key, set()))))
    return found


def new_content(post: QueryDict, user) -> tuple[dict, list[str]]:
    """The content of a request that makes something new, and the columns that it leaves out.

    Raises Invalid, with places, for what cannot be begun; and what reading a source raises.
    """
    kind = Kind(post["new"]) if post.get("new") in KINDS else Kind.METRIC
    name = post.get("name", "").strip()
    key = post.get("key", "").strip() or key_of(name)
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,62}", key):
        raise _refused(
            "key",
            "bad_name",
            f"“{key}” is no key.",
            "Write small letters, digits and _, beginning with a letter, e.g. net_sales.",
        )
    if there := Entry.objects.filter(key=key).first():
        raise _refused(
            "key",
            "duplicate_key",
            f"“{key}” exists already: {there.name}.",
            "Choose another key, or propose a change of the one that exists.",
        )
    left_out: tuple[str, ...] = ()
    if kind == Kind.DATASET:
        spec, left_out = _dataset(post, key, user)
    elif kind == Kind.SEGMENT:
        spec = _segment(post, key)
    else:
        spec = editor.STARTS[type_ if (type_ := post.get("type")) in METRIC_TYPES else "simple"]
    item = {
        "key": key,
        "kind": str(kind),
        "base": None,
        "spec": spec,
        "words": {"name": name, "definition": post.get("definition", "").strip()},
        "stewardship": {
            "domain": post.get("domain", ""),
            "tier": Tier.LOCAL if post.get("tier") == "local" else Tier.THREE,
            "owners": [user.username],
        },
    }
    return {"title": f"New {kind}: {name or key}"[:160], "items": [item]}, list(left_out)


def key_of(name: str) -> str:
    """`Café sales (net)` is called `cafe_sales_net`."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:63]


def _dataset(post: QueryDict, key: str, user) -> tuple[dict, tuple[str, ...]]:
    source = Source.objects.filter(key=post.get("source", "")).first()
    if source is None:
        raise _refused("source", "unknown_source", "Which source is read?", "Choose one.")
    table = post.get("table", "").strip()
    columns = columns_at_source(source, table, actor=user)
    begun = dataset_start(
        key=key, source=source.key, table=table, columns=columns, known=specs_in_force()
    )
    return begun.spec.model_dump(mode="json", exclude_none=True), begun.left_out


def _segment(post: QueryDict, key: str) -> dict:
    spec = {
        "type": "segment",
        "dataset": post.get("dataset", ""),
        "filter": post.get("filter", "").strip(),
    }
    if not spec["dataset"]:
        raise _refused("dataset", "missing", "Of which rows is it a part?", "Choose a dataset.")
    if not spec["filter"]:
        raise _refused("filter", "missing", "Which rows are in it?", "Write a filter.")
    found = problems_of(spec, key=key, known=specs_in_force())
    problems = [problem.as_dict() for problem in found if problem.level == Level.BLOCKS]
    if problems:
        first = problems[0]
        raise Invalid(f"{first['message']} {first['fix']}".strip(), problems=problems)
    return spec


def _refused(place: str, code: str, message: str, fix: str) -> Invalid:
    problem = {"place": place, "code": code, "message": message, "fix": fix}
    return Invalid(f"{message} {fix}", problems=[problem])
