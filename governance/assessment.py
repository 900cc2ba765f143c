"""What a request amounts to, judged from its content: faults, class, and what resolves anew.

Read-only, and one answer for everybody: the editor shows it while somebody types, the submit
refuses by it, and the publish evaluates it again under lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from accounts.models import Domain
from catalog.choices import Kind, Lifecycle, Tier
from catalog.models import Entry, Version
from catalog.selectors.entries import (
    Dependant,
    InForce,
    around,
    dependants_of,
    in_force,
    specs_of,
)
from catalog.stewardship import Stewardship, stewardship_of
from governance.content import Content, Item
from governance.faults import (
    Surroundings,
    faults_above,
    faults_of,
    faults_of_request,
    surroundings_of,
)
from measurement.previews import PreviewItem
from semantics.card import Words
from semantics.definition import AnySpec, DatasetSpec, read_spec
from semantics.diff import (
    NOTHING,
    ChangeClass,
    Difference,
    class_of,
    class_of_words,
    differences,
    strictest,
    word_differences,
)
from semantics.lineage import closure
from semantics.problems import DefinitionRefused, Level, Problem
from semantics.validate import judged

# A change of these classes moves what is computed from the entry, too.
MOVING = frozenset({ChangeClass.RESTATING})
# Of new metrics and of those above, the figures of more than this are computed on demand, not
# before a publish. What a request itself may move is never left out.
MOST_COMPARED = 20


@dataclass(frozen=True)
class ItemAssessment:
    """One item, judged. `classes` says why for every class of change that it contains.

    `domains` are those whose people decide: the entry's own and, when it moves, the new one.
    `tier` is the strictest of the old one, the new one and of what stands on it.
    """

    key: str
    kind: str
    entry: Entry | None
    classes: dict[ChangeClass, str]
    domains: list[Domain]
    tier: int
    old_spec: AnySpec | None
    new_spec: AnySpec | None
    old_words: Words | None
    new_words: Words
    is_spec_changed: bool = False
    card_differences: list[Difference] = field(default_factory=list)

    @cached_property
    def spec_differences(self) -> list[Difference]:
        if self.new_spec is None or not self.is_spec_changed:
            return []
        return differences(self.old_spec, self.new_spec)

    @cached_property
    def word_differences(self) -> list[Difference]:
        return word_differences(self.old_words, self.new_words)

    @property
    def name(self) -> str:
        return self.new_words.name or (self.entry.name if self.entry else self.key)

    @property
    def is_new(self) -> bool:
        return self.entry is None

    @property
    def domain(self) -> Domain | None:
        return self.domains[0] if self.domains else None

    @property
    def change_class(self) -> ChangeClass | None:
        return strictest(self.classes)

    @property
    def reason(self) -> str:
        worst = self.change_class
        if worst is None and self.new_spec is None:
            return "What changes is known once the definition holds"
        return self.classes[worst] if worst else "Nothing differs from what is in force"

    @property
    def version_class(self) -> ChangeClass | None:
        """The class of the version that it becomes; None when only the card moves."""
        card_only = {ChangeClass.STEWARDSHIP, ChangeClass.RETIRING}
        return strictest(one for one in self.classes if one not in card_only)

    @property
    def makes_version(self) -> bool:
        """A change of stewardship or lifecycle alone is saved on the card, without a version."""
        return self.version_class is not None

    @property
    def differences(self) -> list[Difference]:
        return [*self.spec_differences, *self.word_differences, *self.card_differences]


@dataclass(frozen=True)
class Assessment:
    """A whole request, judged. `affected` stand on what it changes, and their values may move;
    `above` is all that stands on it."""

    items: list[ItemAssessment]
    problems: list[Problem]
    above: list[Dependant]
    affected: list[Dependant]
    standing: InForce
    proposed: dict[str, AnySpec]

    @property
    def change_class(self) -> ChangeClass | None:
        return strictest([item.change_class for item in self.items if item.change_class])

    @property
    def reason(self) -> str:
        decisive = self.change_class
        return next((one.reason for one in self.items if one.change_class == decisive), "")

    @property
    def blocking(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.level == Level.BLOCKS]

    @property
    def is_computable(self) -> bool:
        """Whether the definitions, and those above, can be computed. What else blocks a submit,
        such as a missing reason, is usually written when the figures have been seen."""
        return not any(_is_of_definition(problem) for problem in self.blocking)

    @property
    def harmless(self) -> list[str]:
        """Keys that could be split off, since they weigh less than the request as a whole."""
        heavy = self.change_class
        light = [one.key for one in self.items if one.change_class != heavy]
        return light if heavy in (ChangeClass.RESTATING, ChangeClass.RETIRING) else []

    def item(self, key: str) -> ItemAssessment:
        return self.by_key[key]

    @cached_property
    def by_key(self) -> dict[str, ItemAssessment]:
        return {one.key: one for one in self.items}

    def specs_after(self) -> dict[str, AnySpec]:
        """The specs in force with the proposed ones in their places."""
        return {**self.standing.specs, **self.proposed}

    @cached_property
    def preview_items(self) -> list[PreviewItem]:
        """The metrics whose past the request may move: its own and those above, nearest first.

        New metrics are among them, so that their values are seen before they are decided on.
        """
        own = [one for one in self.items if one.kind == Kind.METRIC and one.key in self.proposed]
        keys = [one.key for one in own if MOVING & set(one.classes) and not one.is_new]
        beside = [one.key for one in own if one.is_new] + [
            found.key
            for found in self.affected
            if found.kind == Kind.METRIC and found.lifecycle != Lifecycle.RETIRED
        ]
        keys += beside[: max(0, MOST_COMPARED - len(keys))]
        after = self.specs_after()
        datasets = {key: spec for key, spec in after.items() if isinstance(spec, DatasetSpec)}
        found = []
        for key in keys:
            try:
                new = closure(key, around(key, after, datasets))
            except DefinitionRefused:
                continue  # It cannot be computed; the problems say so.
            old = closure(key, self.standing.around(key)) if key in self.standing.specs else None
            found.append(PreviewItem(key, old, new))
        return found

    def stands_on(self) -> dict[str, str]:
        """The definitions outside of the request that its changed definitions stand on."""
        after = self.specs_after()
        datasets = {key: spec for key, spec in after.items() if isinstance(spec, DatasetSpec)}
        found: dict[str, str] = {}
        for one in self.items:
            if not one.is_spec_changed or one.key not in self.proposed:
                continue
            try:
                pinned = closure(one.key, around(one.key, after, datasets))
            except DefinitionRefused:
                continue  # Its problems say what is wrong.
            found |= {key: self.standing.hashes[key] for key in pinned if key not in self.proposed}
        return dict(sorted(found.items()))


def _is_of_definition(problem: Problem) -> bool:
    whose, *rest = problem.place.split(".")
    return whose == "downstream" or rest[1:2] == ["spec"]


def assess(content: Content) -> Assessment:
    """Judge a request as it stands now, with all its items together."""
    entries = {
        entry.key: entry
        for entry in Entry.objects.select_related("domain", "current_version").filter(
            key__in=[item.key for item in content.items]
        )
    }
    above = dependants_of([entry.pk for entry in entries.values()])
    readable = _readable(content.items)
    standing = in_force({*entries, *(found.key for found in above)}, beside=readable)
    known = _known_to({**standing.specs, **readable})
    problems: list[Problem] = []
    proposed: dict[str, AnySpec] = {}
    for item in content.items:
        unchanged = _unchanged(item, entries.get(item.key), standing)
        if unchanged is not None:
            proposed[item.key] = unchanged
            continue
        found, spec = judged(item.spec, key=item.key, known=known(item.key))
        problems += [problem.at(f"items.{item.key}.spec") for problem in found]
        if spec is not None:
            proposed[item.key] = spec
    around = surroundings_of(content)
    assessed = [
        _judge(item, entries.get(item.key), proposed.get(item.key), around)
        for item in content.items
    ]
    affected = _affected(assessed, above)
    assessed = [_with_tier_of_dependants(one, affected) for one in assessed]
    own = {item.key for item in content.items}
    changed = {one.key for one in assessed if one.is_spec_changed and one.entry}
    after = _known_to({**standing.specs, **proposed})
    problems += faults_above(above, own, changed, after)
    for item, one in zip(content.items, assessed, strict=True):
        faults = faults_of(item, one, content, around, above)
        problems += [problem.at(f"items.{item.key}") for problem in faults]
    problems += faults_of_request(content, assessed)
    outside = [found for found in above if found.key not in own]
    return Assessment(assessed, problems, outside, affected, standing, proposed)


# Among so many specs, each is judged beside all of them, so that a misspelt name finds the one
# that was meant; among more, beside those that it names.
_FEW = 300


def _known_to(specs: dict[str, AnySpec]) -> Callable[[str], Mapping[str, AnySpec]]:
    datasets = {key: spec for key, spec in specs.items() if isinstance(spec, DatasetSpec)}
    if len(specs) <= _FEW:
        return lambda key: specs
    return lambda key: around(key, specs, datasets)


def _affected(judged: list[ItemAssessment], above: list[Dependant]) -> list[Dependant]:
    """What is not in the request and may move because of it."""
    moving = [one.entry.pk for one in judged if one.change_class in MOVING and one.entry]
    if not moving:
        return []
    reached = {found.pk for found in dependants_of(moving)}
    own = {one.key for one in judged}
    return [found for found in above if found.pk in reached and found.key not in own]


def _readable(items: list[Item]) -> dict[str, AnySpec]:
    """The proposed specs as far as they can be read at all: what others in the request see."""
    found = {}
    for item in items:
        try:
            found[item.key] = read_spec(item.spec)
        except ValueError:
            continue
    return found


def _unchanged(item: Item, entry: Entry | None, standing: InForce) -> AnySpec | None:
    """The spec in force, if the item proposes exactly that: it was checked when it was made."""
    current = standing.specs.get(item.key) if entry else None
    if current is not None and current.model_dump(mode="json") == item.spec:
        return current
    return None


def _judge(
    item: Item, entry: Entry | None, spec: AnySpec | None, around: Surroundings
) -> ItemAssessment:
    current = entry.current_version if entry else None
    old_spec = _spec_of(current)
    old_words = Words.model_validate(current.words) if current else None
    old_card = stewardship_of(entry) if entry and item.stewardship else None
    domains, tier = _domains_and_tier(item, entry, around)
    of_spec = class_of(old_spec, spec) if spec is not None else NOTHING
    judgements = [of_spec, class_of_words(old_words, item.words)]
    classes = {judged.change_class: judged.reason for judged in judgements if judged.change_class}
    card = card_differences(old_card, item.stewardship) if item.stewardship else []
    if entry and card:
        classes[ChangeClass.STEWARDSHIP] = f"Stewardship, because {card[0].place} changed"
    if entry and item.lifecycle and item.lifecycle != entry.lifecycle:
        classes[ChangeClass.RETIRING] = f"Retiring, because it becomes {item.lifecycle}"
        card = [*card, _lifecycle_difference(entry, item, item.lifecycle)]
    if entry is None:
        classes = {ChangeClass.ADDITIVE: f"Additive, because this {item.kind} is new"}
    return ItemAssessment(
        key=item.key,
        kind=item.kind,
        entry=entry,
        classes=classes,
        domains=domains,
        tier=tier,
        old_spec=old_spec,
        new_spec=spec,
        old_words=old_words,
        new_words=item.words,
        is_spec_changed=of_spec.change_class is not None,
        card_differences=card,
    )


def _spec_of(version: Version | None) -> AnySpec | None:
    if version is None:
        return None
    return specs_of([version.definition_id])[version.definition_id]


def _domains_and_tier(
    item: Item, entry: Entry | None, around: Surroundings
) -> tuple[list[Domain], int]:
    """The domains whose people decide, and the stricter of the old and the new tier."""
    wanted = item.stewardship
    target = around.domains.get(wanted.domain) if wanted else None
    if entry is None:
        return [target] if target else [], wanted.tier if wanted else Tier.THREE
    domains = [entry.domain]
    if target and target.pk != entry.domain_id:
        domains.append(target)
    return domains, min(entry.tier, wanted.tier) if wanted else entry.tier


def _with_tier_of_dependants(one: ItemAssessment, affected: list[Dependant]) -> ItemAssessment:
    """What moves a tier 1 metric is decided as a change of tier 1, wherever it is made."""
    if one.change_class not in MOVING or not affected:
        return one
    strictest_above = min(found.tier for found in affected)
    if strictest_above >= one.tier:
        return one
    because = next(found for found in affected if found.tier == strictest_above)
    classes = {
        which: f"{reason}; {because.name} stands on it" if which in MOVING else reason
        for which, reason in one.classes.items()
    }
    return replace(one, tier=strictest_above, classes=classes)


def card_differences(old: Stewardship | None, new: Stewardship) -> list[Difference]:
    """Who answers and what is promised, in words."""
    before: Mapping = old.model_dump(mode="json") if old else {}
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


def _lifecycle_difference(entry: Entry, item: Item, wanted: str) -> Difference:
    old, new = Lifecycle(entry.lifecycle).label, Lifecycle(wanted).label
    until = f" until {item.last_day}" if item.last_day else ""
    instead = f", use {item.successor} in its place" if item.successor else ""
    sentence = f"Lifecycle: {old} → {new}{until}{instead}"
    return Difference("lifecycle", "changed", sentence, old, new)


def _said(value) -> str:
    if value in (None, "", []):
        return "none"
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, dict):
        return " ".join(str(each) for each in value.values() if each not in (None, ""))
    return str(value)
