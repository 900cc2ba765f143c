"""Races for one request: two people at the same instant, a hundred or a thousand times.

The campaigns count what came of it; a test runs a sample of them over the services, and the long
campaign runs more. Each needs a database in which transactions commit (`committed_db`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Barrier, Thread

from django.db import connections

from catalog.models import Version
from core.errors import EtalonError
from governance.choices import Status
from governance.models import ChangeRequest
from governance.services.publishing import publish, settle
from governance.services.requests import save_draft, withdraw
from governance.services.reviews import review
from governance.services.submitting import submit
from tests.factories import Company, make_change, make_content, submitted

PATIENCE = 60


@dataclass
class Outcome:
    """What came of a campaign. `double` and `unread` must be 0, and `failures` empty."""

    races: int = 0
    published: int = 0
    refused: int = 0
    double: int = 0
    unread: int = 0
    failures: tuple[str, ...] = ()

    def __str__(self):
        return (
            f"{self.races} races, {self.published} published, {self.double} double, "
            f"{self.unread} unread; {self.refused} refused"
        )


def two_reviewers(company: Company, races: int, *, seed: int = 1) -> Outcome:
    """Two reviewers approve the same revision at the same instant, and both ring the publication.

    One approval is asked for. Exactly one version comes of it, and both get a true answer.
    """
    dice, outcome = random.Random(seed), Outcome()  # noqa: S311 - no secret
    for number in range(races):
        request = _words(company, f"Race {number}.")
        before = Version.objects.count()
        verdicts = [
            partial(_approve_and_settle, request, person, dice.uniform(0, 0.003))
            for person in (company.ben, company.cem)
        ]
        _count(outcome, _at_once(verdicts), request)
        made = Version.objects.count() - before
        outcome.published += made == 1
        outcome.double += made > 1
    return outcome


def approve_while_edited(company: Company, races: int, *, seed: int = 1) -> Outcome:
    """A reviewer approves what they read while the author edits and submits again.

    What is published is what the reviewer read, or nothing is.
    """
    dice, outcome = random.Random(seed), Outcome()  # noqa: S311 - no secret
    for number in range(races):
        request = _words(company, f"Read {number}.")
        before = Version.objects.count()
        edit = f"Unread {number}."
        deeds = [
            partial(_approve_and_settle, request, company.ben, dice.uniform(0, 0.005)),
            # About as long as an approval and its publication take, so that either may be first.
            partial(_edit_and_submit, request, company, edit, dice.uniform(0, 0.03)),
        ]
        _count(outcome, _at_once(deeds), request)
        made = list(Version.objects.filter(entry__key="net_sales").order_by("-number")[:2])
        grown = Version.objects.count() - before
        outcome.published += grown == 1
        outcome.double += grown > 1
        outcome.unread += grown > 0 and made[0].words["definition"] != f"Read {number}."
        request = ChangeRequest.objects.get(pk=request.pk)
        if request.is_open:
            withdraw(request, actor=company.ana, via="test")
    return outcome


def publish_while_edited(company: Company, races: int, *, seed: int = 1) -> Outcome:
    """Somebody presses Publish on an approved revision within a few milliseconds of an edit."""
    dice, outcome = random.Random(seed), Outcome()  # noqa: S311 - no secret
    for number in range(races):
        request = _words(company, f"Read {number}.", publish_when="button")
        _approve_and_settle(request, company.ben, 0)
        before = Version.objects.count()
        hash_ = request.revision.hash
        edit = f"Unread {number}."
        deeds = [
            partial(_pressed, request, company, hash_, dice.uniform(0, 0.005)),
            partial(_edit_and_submit, request, company, edit, dice.uniform(0, 0.005)),
        ]
        _count(outcome, _at_once(deeds), request)
        grown = Version.objects.count() - before
        newest = Version.objects.filter(entry__key="net_sales").order_by("-number").first()
        outcome.published += grown == 1
        outcome.double += grown > 1
        outcome.unread += grown > 0 and newest.words["definition"] != f"Read {number}."
        request = ChangeRequest.objects.get(pk=request.pk)
        if request.is_open:
            withdraw(request, actor=company.ana, via="test")
    return outcome


def _words(company: Company, text: str, **content) -> ChangeRequest:
    """A request in review that one other person has to nod to."""
    change = make_change(words={"definition": text})
    return submitted(change, author=company.ana, **content)


def _approve_and_settle(request: ChangeRequest, person, wait: float) -> None:
    time.sleep(wait)
    review(
        request,
        revision_hash=request.revision.hash,
        revision_number=request.revision.number,
        verdict="approve",
        actor=person,
        via="test",
    )
    settle(request, via="test")


def _pressed(request: ChangeRequest, company: Company, hash_: str, wait: float) -> None:
    time.sleep(wait)
    publish(request, revision_hash=hash_, actor=company.cem, via="test")


def _edit_and_submit(request: ChangeRequest, company: Company, text: str, wait: float) -> None:
    time.sleep(wait)
    content = make_content(make_change(words={"definition": text}))
    save_draft(request, content=content, lock=request.draft.lock, actor=company.ana, via="test")
    submit(request, actor=company.ana, via="test")
    settle(request, via="test")


def _at_once(deeds: list[Callable[[], None]]) -> list[Exception | None]:
    """Run deeds in threads that start together; what each raised."""
    barrier = Barrier(len(deeds))
    raised: list[Exception | None] = [None] * len(deeds)

    def run(place: int, deed: Callable[[], None]) -> None:
        try:
            barrier.wait(PATIENCE)
            deed()
        except Exception as error:  # noqa: BLE001 - the outermost loop of a thread
            raised[place] = error
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(n, deed)) for n, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return raised


def _count(outcome: Outcome, raised: list[Exception | None], request: ChangeRequest) -> None:
    outcome.races += 1
    for error in raised:
        if isinstance(error, EtalonError):
            outcome.refused += 1
        elif error is not None:
            outcome.failures = (*outcome.failures, f"{request}: {error!r}")
    if ChangeRequest.objects.filter(pk=request.pk, status=Status.PUBLISHING).exists():
        outcome.failures = (*outcome.failures, f"{request} stayed in publishing")
