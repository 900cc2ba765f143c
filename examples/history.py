"""The history of the example company, made by the services that people's clicks call.

Each step of each request is done at its own instant under the simulated clock, which the audit log
declares. What is done already is read from the rows, so that a load that was cut short goes on
where it stopped and a second one finds nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction

from accounts.models import User
from catalog.models import Entry
from core import clock
from core.errors import EtalonError
from examples.company import Company, Request, Step
from examples.people import VIA
from examples.replay import Shift
from governance import tasks
from governance.choices import Status, Verdict
from governance.models import ChangeRequest, Comment, Review
from governance.services import comments, publishing, requests
from governance.services.reviews import review
from governance.services.submitting import submit
from measurement.choices import UNFINISHED, BackfillStatus
from measurement.models import Backfill
from measurement.services.turns import take_turn

# How long before its first step a request was opened as a draft.
WRITING = timedelta(minutes=25)
# When workers share the work, the loader waits for their windows.
PAUSE_SECONDS = 0.2


class LoadFailed(RuntimeError):
    """The example cannot be loaded; the message says at which step and why."""


class History:
    """The requests of the company, played one after the other."""

    def __init__(
        self, company: Company, shift: Shift, people: dict[str, User], say: Callable[[str], None]
    ):
        self.company = company
        self.shift = shift
        self.people = people
        self.say = say

    def play(self, after: Callable[[], None] = lambda: None) -> int:
        """Do what is left of all requests. Returns how many steps were done now."""
        return sum(self._play(request, after) for request in self.company.requests)

    def _play(self, request: Request, after: Callable[[], None]) -> int:
        started, done = time.monotonic(), 0
        row = self._find(request)
        for step in request.steps:
            with clock.simulated(step.instant(self.shift)), named(request, step):
                if row is None or not self._is_done(request, row, step):
                    if not done:
                        self.say(f"{request.title} ...")
                    row = self._do(request, row, step)
                    done += 1
                work_off_all(self._runs())
                row = publishing.settle(row, via=VIA)
                after()
                work_off_all(self._runs())
        if done:
            state = Status(row.status).label.lower()
            self.say(f"{row} {row.title}: {state} ({time.monotonic() - started:.1f} s)")
        return done

    def _find(self, request: Request) -> ChangeRequest | None:
        author = self.people[request.author]
        return ChangeRequest.objects.filter(title=request.title, author=author).first()

    def _runs(self) -> list[Backfill]:
        """Runs that a request has asked for and that are not over: previews and backfills."""
        keys = list(self.company.metrics)
        found = Backfill.objects.filter(status__in=UNFINISHED, targets__key__in=keys)
        return list(found.distinct().order_by("pk"))

    # --- what is done ------------------------------------------------------------------------

    def _is_done(self, request: Request, row: ChangeRequest, step: Step) -> bool:
        person = self.people[step.by]
        number = request.revision_at(step)
        if step.does == "submit":
            return row.revisions.filter(number__gte=number).exists()
        if step.does == "edit":
            return row.revisions.filter(number__gt=number).exists()
        if step.does == "reject":
            return row.status == Status.REJECTED
        if step.does == "comment":
            return Comment.objects.filter(request=row, author=person, text=step.says).exists()
        return Review.objects.filter(
            request=row, revision__number=number, reviewer=person, verdict=step.does
        ).exists()

    # --- doing it ----------------------------------------------------------------------------

    @transaction.atomic
    def _do(self, request: Request, row: ChangeRequest | None, step: Step) -> ChangeRequest:
        """One step and, if it was the last that was missing, the publication: both or neither.

        The tasks that tell people are run here too, at the step's own instant.
        """
        row = row or self._open(request, step)
        person = self.people[step.by]
        match step.does:
            case "submit":
                submit(row, lock=row.draft.lock, actor=person, via=VIA)
            case "edit":
                content = self._content(request, step)
                requests.save_draft(
                    row, content=content, lock=row.draft.lock, actor=person, via=VIA
                )
            case "comment":
                comments.comment(row, text=step.says, actor=person, via=VIA)
            case "reject":
                requests.reject(row, reason=step.says, actor=person, via=VIA)
                tasks.tell_of_closing(row.pk)
            case "approve" | "request_changes":
                review(
                    row,
                    revision_hash=row.revision.hash,
                    verdict=Verdict(step.does),
                    comment=step.says,
                    actor=person,
                    via=VIA,
                )
                if step.does == "request_changes":
                    tasks.tell_of_changes_requested(row.pk)
        tasks.settle(row.pk)
        row = ChangeRequest.objects.select_related("draft", "revision").get(pk=row.pk)
        if row.status == Status.PUBLISHED:
            tasks.tell_of_publication(row.pk)
        return row

    def _open(self, request: Request, step: Step) -> ChangeRequest:
        with clock.simulated(step.instant(self.shift) - WRITING):
            return requests.open_request(
                content=self._content(request, step), actor=self.people[request.author], via=VIA
            )

    def _content(self, request: Request, step: Step) -> dict:
        items = request.items_at(step)
        keys = [item["key"] for item in items]
        entries = Entry.objects.filter(key__in=keys).select_related("current_version__definition")
        standing = {entry.key: entry for entry in entries}
        return {
            "title": request.title,
            "reason": request.reason.strip(),
            "effective_from": self.shift.moved(request.effective_from).isoformat(),
            "items": [self._item(item, standing.get(item["key"])) for item in items],
        }

    def _item(self, item: dict, standing: Entry | None) -> dict:
        """What an item says: the entry's file, and what this request wants to be different."""
        entry = self.company.entries[item["key"]]
        built = {
            "key": entry.key,
            "kind": entry.kind,
            "base": standing.current_version.number if standing else None,
            "spec": {**entry.spec, **item.get("spec", {})},
            "words": {**entry.words, **item.get("words", {})},
            "treatment": item.get("treatment", ""),
        }
        if item.get("keep_both_until"):
            built["keep_both_until"] = self.shift.moved(item["keep_both_until"]).isoformat()
        if standing is None:
            built["stewardship"] = entry.stewardship
        if item.get("branches"):
            # Only where it hangs in the tree; what it means stays what it means today.
            built["spec"] = standing.current_version.definition.spec
            built["words"] = standing.current_version.words
            built["stewardship"] = {**entry.stewardship, "tree": self.company.branches(entry.key)}
        return built


@contextmanager
def named(request: Request, step: Step):
    """Say at which step something was refused."""
    try:
        yield
    except EtalonError as error:
        problems = error.details.get("problems") or []
        listed = "".join(f"\n  {one['place']}: {one['message']}" for one in problems)
        raise LoadFailed(
            f"{request.name}, {step.by} wants to {step.does}: {error.message}{listed}"
        ) from error


def work_off_all(backfills: Iterable[Backfill]) -> None:
    """Compute runs to their end, together with whatever workers take part."""
    for backfill in backfills:
        while take_turn(backfill.pk):
            pass
        backfill.refresh_from_db()
        while backfill.status in (BackfillStatus.PLANNED, BackfillStatus.RUNNING):
            time.sleep(PAUSE_SECONDS)
            take_turn(backfill.pk)
            backfill.refresh_from_db()
        if backfill.status not in (BackfillStatus.DONE, BackfillStatus.CANCELLED):
            raise LoadFailed(f"{backfill} is {backfill.get_status_display()}: {backfill.error}")
