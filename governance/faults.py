"""What the practice asks of a proposal beside a definition that can be computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.models import Domain, User
from catalog.choices import Kind, Lifecycle, Tier
from catalog.models import Entry
from catalog.selectors.entries import Dependant
from governance.content import Content, Item
from measurement.models import Source
from semantics.definition import AnySpec, DatasetSpec, kind_of
from semantics.diff import ChangeClass
from semantics.lineage import references
from semantics.problems import Level, Problem, nearest
from semantics.validate import problems_of

if TYPE_CHECKING:
    from governance.assessment import ItemAssessment


@dataclass(frozen=True)
class Surroundings:
    """What the proposals of a request name, read once for all items."""

    domains: Mapping[str, Domain]
    people: frozenset[str]
    metrics: frozenset[str]
    tiers: Mapping[str, int]
    sources: frozenset[str]

    def is_local(self, key: str) -> bool:
        return self.tiers.get(key) == Tier.LOCAL


def surroundings_of(content: Content) -> Surroundings:
    cards = [item.stewardship for item in content.items if item.stewardship]
    names = {name for card in cards for name in (*card.owners, *card.backups, *card.stewards)}
    parents = {branch.parent for card in cards for branch in card.tree}
    parents |= {item.successor for item in content.items if item.successor}
    known = Entry.objects.filter(key__in=parents, kind=Kind.METRIC).values_list("key", flat=True)
    local = Entry.objects.filter(tier=Tier.LOCAL).values_list("key", "tier")
    proposed = {item.key: item.stewardship.tier for item in content.items if item.stewardship}
    return Surroundings(
        domains={domain.key: domain for domain in Domain.objects.all()},
        people=frozenset(
            User.objects.filter(username__in=names, is_active=True).values_list(
                "username", flat=True
            )
        ),
        metrics=frozenset(known) | {item.key for item in content.items if item.kind == Kind.METRIC},
        tiers={**dict(local), **proposed},
        sources=frozenset(Source.objects.values_list("key", flat=True)),
    )


def faults_of(
    item: Item,
    one: ItemAssessment,
    content: Content,
    around: Surroundings,
    above: list[Dependant],
) -> Iterator[Problem]:
    """All faults of one item, with places inside of it."""
    yield from _of_identity(item, one)
    if not item.words.name.strip():
        yield Problem("words.name", "missing", "It has no name.", "Give it one.")
    yield from _of_stewardship(item, one, around)
    yield from _of_treatment(item, one, content)
    yield from _of_lifecycle(item, one, content, around, above)
    if isinstance(one.new_spec, DatasetSpec) and one.new_spec.source not in around.sources:
        yield Problem(
            "spec.source",
            "unknown_source",
            f"There is no source “{one.new_spec.source}”.",
            nearest(one.new_spec.source, around.sources) or "Ask an admin to connect it.",
        )
    if not around.is_local(item.key):
        yield from _of_local_inputs(one, around)


def faults_of_request(content: Content, judged: list[ItemAssessment]) -> Iterator[Problem]:
    """Faults of what is said once for all items."""
    weighty = {ChangeClass.RESTATING, ChangeClass.RETIRING}
    is_weighty = any(one.entry and weighty & set(one.classes) for one in judged)
    if is_weighty and not content.reason.strip():
        yield Problem(
            "reason", "missing", "Give the reason: readers will ask for it.", "Write a sentence."
        )
    if content.publish_when == "date" and content.publish_on is None:
        yield Problem(
            "publish_on", "missing", "On which day is it to be published?", "Choose a day."
        )
    # A definition that cannot be read has no differences that could be told.
    is_read = all(one.new_spec is not None for one in judged)
    if is_read and not any(one.classes for one in judged):
        yield Problem(
            "items", "no_difference", "Nothing differs from what is in force.", "Edit something."
        )


def _of_identity(item: Item, one: ItemAssessment) -> Iterator[Problem]:
    if one.new_spec is not None and kind_of(one.new_spec) != item.kind:
        yield Problem(
            "kind",
            "wrong_kind",
            f"Its definition is that of a {kind_of(one.new_spec)}, and it is proposed as a "
            f"{item.kind}.",
            "Make the two agree.",
        )
    if one.entry is None and item.base is not None:
        yield Problem(
            "base",
            "unknown_base",
            f"There is no {item.key}@{item.base}.",
            "Propose it as new, without a base.",
        )
    if one.entry and one.entry.kind != item.kind:
        taken = f"“{item.key}” is already the key of a {one.entry.kind}."
        yield Problem("key", "duplicate_key", taken, "Choose another key.")
    elif one.entry and item.base is None:
        yield Problem(
            "key",
            "duplicate_key",
            f"“{item.key}” exists already: {one.entry.name}.",
            "Choose another key, or propose a change of the one that exists.",
        )


def _of_stewardship(item: Item, one: ItemAssessment, around: Surroundings) -> Iterator[Problem]:
    wanted = item.stewardship
    if wanted is None:
        if one.entry is None:
            yield Problem(
                "stewardship", "missing", "Say who answers for it, and in which domain.", ""
            )
        return
    if wanted.domain not in around.domains:
        yield Problem(
            "stewardship.domain",
            "unknown_domain",
            f"There is no domain “{wanted.domain}”.",
            nearest(wanted.domain, around.domains),
        )
    if not wanted.owners:
        yield Problem("stewardship.owners", "missing", "Nobody owns it.", "Name an owner.")
    for place in ("owners", "backups", "stewards"):
        for name in getattr(wanted, place):
            if name not in around.people:
                yield Problem(
                    f"stewardship.{place}",
                    "unknown_person",
                    f"Nobody signs in as “{name}”.",
                    "Name somebody who has an account.",
                )
    for branch in wanted.tree:
        if branch.parent == item.key:
            yield Problem("stewardship.tree", "loop", "A metric cannot hang under itself.", "")
        elif branch.parent not in around.metrics:
            yield Problem(
                "stewardship.tree",
                "unknown_metric",
                f"There is no metric “{branch.parent}” to hang under.",
                nearest(branch.parent, around.metrics),
            )
    if around.is_local(item.key) and one.entry and one.entry.tier != Tier.LOCAL:
        yield Problem(
            "stewardship.tier",
            "no_way_back",
            "What was reviewed does not become Local again.",
            "Deprecate it, or choose tier 3.",
        )


def _of_treatment(item: Item, one: ItemAssessment, content: Content) -> Iterator[Problem]:
    if item.treatment == "keep_both":
        until = item.keep_both_until
        if until is None:
            yield Problem("keep_both_until", "missing", "Until which day are both kept?", "")
        elif until <= content.effective_from:
            yield Problem(
                "keep_both_until",
                "too_early",
                f"Both are kept until {until}, which is not after {content.effective_from}, when "
                "the new one takes effect.",
                "Choose a later day.",
            )
    if ChangeClass.RESTATING not in one.classes or not one.entry:
        return
    if item.kind != Kind.METRIC:
        if item.treatment not in ("", "restate"):
            yield Problem(
                "treatment",
                "only_restate",
                f"A {item.kind} has no line of its own: what stands on it is restated.",
                "Choose “restate”, or leave it empty.",
            )
        return
    if not item.treatment:
        yield Problem(
            "treatment",
            "missing",
            "Past values may move. Say how they are treated.",
            "Choose: restate the past, only from now on, or keep both until a day.",
        )


def _of_lifecycle(
    item: Item,
    one: ItemAssessment,
    content: Content,
    around: Surroundings,
    above: list[Dependant],
) -> Iterator[Problem]:
    if item.successor and (item.successor == item.key or item.successor not in around.metrics):
        yield Problem(
            "successor",
            "unknown_metric",
            f"“{item.successor}” cannot be used in its place.",
            nearest(item.successor, around.metrics - {item.key}),
        )
    if item.lifecycle != Lifecycle.RETIRED or one.entry is None:
        return
    gone = {other.key for other in content.items if other.lifecycle == Lifecycle.RETIRED}
    for found in above:
        is_used = item.key in found.upstream_keys and found.lifecycle != Lifecycle.RETIRED
        if is_used and found.key not in gone:
            yield Problem(
                "lifecycle",
                "still_used",
                f"{found.name} is computed from it.",
                f"Retire {found.name} in this request too, or change its formula first.",
            )


def _of_local_inputs(one: ItemAssessment, around: Surroundings) -> Iterator[Problem]:
    """Unreviewed metrics may bear nothing that was reviewed."""
    for key in sorted(references(one.new_spec)) if one.new_spec is not None else ():
        if around.is_local(key):
            yield Problem(
                "spec",
                "local_input",
                f"“{key}” is in the Local tier and unreviewed, so that nothing reviewed may "
                "stand on it.",
                "Propose its promotion to tier 1, 2 or 3 first.",
            )


def faults_above(
    above: list[Dependant],
    own: set[str],
    changed: set[str],
    known: Callable[[str], Mapping[str, AnySpec]],
) -> Iterator[Problem]:
    """What would break in entries that stand on changed ones and are not in the request."""
    if not changed:
        return
    for dependant in above:
        among = known(dependant.key)
        spec = among.get(dependant.key)
        if dependant.key in own or spec is None or dependant.lifecycle == Lifecycle.RETIRED:
            continue
        for problem in problems_of(spec.model_dump(mode="json"), key=dependant.key, known=among):
            if problem.level == Level.BLOCKS:
                yield Problem(
                    f"downstream.{dependant.key}.{problem.place}",
                    "breaks_downstream",
                    f"{dependant.name} would no longer work: {problem.message}",
                    f"Add {dependant.name} to this request and mend it there.",
                )
