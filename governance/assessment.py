"""What a request amounts to, judged from its content: faults, class, and what resolves anew.

Read-only, and one answer for everybody: the editor shows it while somebody types, the submit
refuses by it, and `verify` recomputes it years later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from accounts.models import Domain, User
from catalog.choices import Kind, Lifecycle, Tier
from catalog.models import Entry, Metric, Version
from catalog.selectors.entries import Dependant, InForce, dependants_of, in_force
from catalog.stewardship import Stewardship, stewardship_of
from governance.content import Content, Item
from semantics.card import Words
from semantics.definition import AnySpec, kind_of, read_spec
from semantics.diff import (
    ChangeClass,
    Difference,
    class_of,
    class_of_words,
    differences,
    strictest,
    word_differences,
)
from semantics.lineage import references
from semantics.problems import Level, Problem
from semantics.validate import checked_spec, problems_of

# A change of these classes moves what is computed from the entry, too.
MOVING = frozenset({ChangeClass.RESTATING})


@dataclass(frozen=True)
class ItemAssessment:
    """One item, judged."""

    key: str
    kind: str
    entry: Entry | None
    change_class: ChangeClass | None
    reason: str
    domain: Domain | None
    tier: int
    old_spec: AnySpec | None
    new_spec: AnySpec | None
    old_words: Words | None
    spec_differences: list[Difference] = field(default_factory=list)
    word_differences: list[Difference] = field(default_factory=list)
    card_differences: list[Difference] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        return self.entry is None

    @property
    def makes_version(self) -> bool:
        """A change of stewardship alone is saved on the card and makes no version."""
        return bool(self.change_class) and (
            self.is_new
            or bool(self.spec_differences or self.word_differences)
            or self.change_class == ChangeClass.RETIRING
        )


@dataclass(frozen=True)
class Assessment:
    """A whole request, judged. `affected` stand on what it changes and resolve anew."""

    items: list[ItemAssessment]
    problems: list[Problem]
    affected: list[Dependant]
    standing: InForce
    proposed: dict[str, AnySpec]

    @property
    def change_class(self) -> ChangeClass | None:
        return strictest([item.change_class for item in self.items if item.change_class])

    @property
    def blocking(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.level == Level.BLOCKS]

    def item(self, key: str) -> ItemAssessment:
        return next(item for item in self.items if item.key == key)

    def specs_after(self) -> dict[str, AnySpec]:
        """The specs in force with the proposed ones in their places."""
        return {**self.standing.specs, **self.proposed}


def assess(content: Content) -> Assessment:
    """Judge a request as it stands now, with all its items together."""
    entries = {
        entry.key: entry
        for entry in Entry.objects.select_related("domain", "current_version").filter(
            key__in=[item.key for item in content.items]
        )
    }
    above = dependants_of([entry.pk for entry in entries.values()])
    standing = in_force(
        {*entries, *(found.key for found in above)}, beside=_readable(content.items)
    )
    known = {**standing.specs, **_readable(content.items)}
    problems: list[Problem] = []
    proposed: dict[str, AnySpec] = {}
    for item in content.items:
        place = f"items.{item.key}"
        found = problems_of(item.spec, key=item.key, known=known)
        problems += [problem.at(f"{place}.spec") for problem in found]
        if not any(problem.level == Level.BLOCKS for problem in found):
            proposed[item.key] = checked_spec(item.spec, key=item.key, known=known)
    judged = [_judge(item, entries.get(item.key), proposed.get(item.key)) for item in content.items]
    moving = [one for one in judged if one.change_class in MOVING and one.entry]
    reached = {found.pk for found in dependants_of([one.entry.pk for one in moving])}
    own = {item.key for item in content.items}
    affected = [found for found in above if found.pk in reached and found.key not in own]
    judged = [_with_tier_of_dependants(one, affected) for one in judged]
    problems += _faults_above(above, own, {**standing.specs, **proposed}, proposed)
    for item, one in zip(content.items, judged, strict=True):
        problems += [problem.at(f"items.{item.key}") for problem in _faults(item, one, content)]
    if not any(one.change_class for one in judged) and not problems:
        problems.append(
            Problem("items", "no_difference", "Nothing differs from what is in force.", "Edit it.")
        )
    return Assessment(judged, problems, affected, standing, proposed)


def _readable(items: list[Item]) -> dict[str, AnySpec]:
    """The proposed specs as far as they can be read at all: what others in the request see."""
    found = {}
    for item in items:
        try:
            found[item.key] = read_spec(item.spec)
        except ValueError:
            continue
    return found


def _judge(item: Item, entry: Entry | None, spec: AnySpec | None) -> ItemAssessment:
    current = entry.current_version if entry else None
    old_spec = _spec_of(current)
    old_words = Words.model_validate(current.words) if current else None
    old_card = stewardship_of(entry) if entry else None
    domain, tier = _domain_and_tier(item, entry)
    judgements = []
    if spec is not None:
        judgements.append(class_of(old_spec, spec))
    judgements.append(class_of_words(old_words, item.words))
    card = card_differences(old_card, item.stewardship) if item.stewardship else []
    classes = {judged.change_class: judged.reason for judged in judgements if judged.change_class}
    if entry and card:
        classes[ChangeClass.STEWARDSHIP] = f"Stewardship, because {card[0].place} changed"
    if entry and item.lifecycle in (Lifecycle.RETIRED, Lifecycle.DEPRECATED):
        if item.lifecycle != entry.lifecycle:
            classes[ChangeClass.RETIRING] = f"Retiring, because it becomes {item.lifecycle}"
    if entry is None:
        classes = {ChangeClass.ADDITIVE: f"Additive, because this {item.kind} is new"}
    strict = strictest(list(classes))
    return ItemAssessment(
        key=item.key,
        kind=item.kind,
        entry=entry,
        change_class=strict,
        reason=classes.get(strict, "Nothing differs from what is in force"),
        domain=domain,
        tier=tier,
        old_spec=old_spec,
        new_spec=spec,
        old_words=old_words,
        spec_differences=differences(old_spec, spec) if spec is not None else [],
        word_differences=word_differences(old_words, item.words),
        card_differences=card,
    )


def _spec_of(version: Version | None) -> AnySpec | None:
    return read_spec(version.definition.spec) if version else None


def _domain_and_tier(item: Item, entry: Entry | None) -> tuple[Domain | None, int]:
    """The domain whose people decide, and the stricter of the old and the new tier."""
    wanted = item.stewardship
    if entry is None:
        domain = Domain.objects.filter(key=wanted.domain).first() if wanted else None
        return domain, wanted.tier if wanted else Tier.THREE
    return entry.domain, min(entry.tier, wanted.tier) if wanted else entry.tier


def _with_tier_of_dependants(one: ItemAssessment, affected: list[Dependant]) -> ItemAssessment:
    """What moves a tier 1 metric is decided as a change of tier 1, wherever it is made."""
    if one.change_class not in MOVING:
        return one
    strictest_above = min((found.tier for found in affected), default=one.tier)
    if strictest_above >= one.tier:
        return one
    because = next(found for found in affected if found.tier == strictest_above)
    return replace(one, tier=strictest_above, reason=f"{one.reason}; {because.name} stands on it")


def card_differences(old: Stewardship | None, new: Stewardship) -> list[Difference]:
    """Who answers and what is promised, in words."""
    before = old.model_dump(mode="json") if old else {}
    found = []
    for name, value in new.model_dump(mode="json").items():
        was = before.get(name)
        if was == value or (not was and not value):
            continue
        label = name.replace("_", " ")
        sentence = f"{label.capitalize()}: {_said(was)} → {_said(value)}"
        change = "changed" if was else "added"
        found.append(Difference(label, change, sentence, _said(was), _said(value)))
    return found


def _said(value) -> str:
    if value in (None, "", []):
        return "none"
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, dict):
        return " ".join(str(each) for each in value.values() if each not in (None, ""))
    return str(value)


def _faults_above(
    above: list[Dependant],
    own: set[str],
    known: Mapping[str, AnySpec],
    proposed: Mapping[str, AnySpec],
) -> list[Problem]:
    """What would break in entries that stand on the proposed ones and are not in the request."""
    found = []
    for dependant in above:
        spec = known.get(dependant.key)
        if dependant.key in own or spec is None or dependant.lifecycle == Lifecycle.RETIRED:
            continue
        for problem in problems_of(spec.model_dump(mode="json"), key=dependant.key, known=known):
            if problem.level == Level.BLOCKS:
                fix = f"Add {dependant.name} to this request and mend it there."
                found.append(
                    Problem(
                        f"downstream.{dependant.key}.{problem.place}",
                        "breaks_downstream",
                        f"{dependant.name} would no longer work: {problem.message}",
                        fix,
                    )
                )
    return found


def _faults(item: Item, one: ItemAssessment, content: Content) -> list[Problem]:
    """What the practice asks for beside a definition that can be computed."""
    found = []
    if one.new_spec is not None and kind_of(one.new_spec) != item.kind:
        found.append(Problem("spec.type", "wrong_kind", f"This is no {item.kind}.", "Check type."))
    if one.entry and one.entry.kind != item.kind:
        taken = f"“{item.key}” is already the key of a {one.entry.kind}."
        found.append(Problem("key", "duplicate_key", taken, "Choose another key."))
    if one.entry is None and item.base is not None:
        found.append(Problem("base", "unknown_base", f"There is no {item.key}@{item.base}."))
    if one.entry and item.base is None:
        taken = f"“{item.key}” exists already."
        found.append(Problem("key", "duplicate_key", taken, "Choose another key, or change it."))
    if one.entry is None and item.stewardship is None:
        found.append(
            Problem("stewardship", "missing", "Say who answers for it, and in which domain.")
        )
    if one.entry is None and item.stewardship and one.domain is None:
        found.append(
            Problem("stewardship.domain", "unknown", f"No domain “{item.stewardship.domain}”.")
        )
    found += _faults_of_stewardship(item)
    if one.change_class == ChangeClass.RESTATING and one.entry and item.kind == Kind.METRIC:
        if not item.treatment:
            found.append(
                Problem(
                    "treatment",
                    "missing",
                    "Past values may move. Say how they are treated.",
                    "Choose: restate the past, break in the series, or keep both until a day.",
                )
            )
        if item.treatment == "keep_both" and item.keep_both_until is None:
            found.append(Problem("keep_both_until", "missing", "Until which day are both kept?"))
    if one.change_class in (ChangeClass.RESTATING, ChangeClass.RETIRING) and one.entry:
        if not content.reason.strip():
            found.append(Problem("reason", "missing", "Give the reason: readers will ask for it."))
    if not _is_local(item, one):
        found += _local_inputs(one)
    return found


def _faults_of_stewardship(item: Item) -> list[Problem]:
    wanted = item.stewardship
    if wanted is None:
        return []
    found = []
    if not wanted.owners:
        found.append(
            Problem("stewardship.owners", "missing", "Somebody must own it.", "Name an owner.")
        )
    names = {*wanted.owners, *wanted.backups, *wanted.stewards}
    known = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    found += [
        Problem("stewardship", "unknown_person", f"Nobody signs in as “{name}”.")
        for name in sorted(names - known)
    ]
    parents = {branch.parent for branch in wanted.tree}
    metrics = set(Metric.objects.filter(key__in=parents).values_list("key", flat=True))
    found += [
        Problem("stewardship.tree", "unknown_metric", f"There is no metric “{parent}”.")
        for parent in sorted(parents - metrics)
    ]
    if item.key in parents:
        found.append(Problem("stewardship.tree", "loop", "A metric cannot hang under itself."))
    return found


def _is_local(item: Item, one: ItemAssessment) -> bool:
    if item.stewardship:
        return item.stewardship.tier == Tier.LOCAL
    return bool(one.entry) and one.entry.tier == Tier.LOCAL


def _local_inputs(one: ItemAssessment) -> list[Problem]:
    """Unreviewed metrics may bear nothing that was reviewed."""
    if one.new_spec is None:
        return []
    local = Metric.objects.filter(key__in=references(one.new_spec), tier=Tier.LOCAL)
    return [
        Problem(
            "spec",
            "local_input",
            f"{metric.name} is in the Local tier and unreviewed, so that nothing reviewed may "
            "stand on it.",
            "Propose its promotion first.",
        )
        for metric in local
    ]
