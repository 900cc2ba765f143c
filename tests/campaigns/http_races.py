"""Races over HTTP: people at three doors, real web processes, and a worker that publishes.

What came of a campaign is counted by SQL from what is stored, not from what was answered.

    print(Arena(rig).two_reviewers(1000))
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import requests
from django.db import connection

from core.errors import WrongState
from governance.choices import Status
from governance.models import ChangeRequest
from governance.services.approval_policies import set_policy
from governance.services.requests import withdraw
from semantics.diff import ChangeClass
from tests.campaigns.doors import DOORS, Person
from tests.factories import Company, make_change, make_content, submitted
from tests.rig import Rig

PUBLISHED_WITHIN = 60
# A publication that an approval rang for is over by then, where an edit did not forestall it.
SETTLED_WITHIN = 0.3

_STORED = """
SELECT
    count(*) FILTER (WHERE request.status = 'published') AS published,
    -- Versions beyond the one that each published request may have.
    count(*) FILTER (WHERE made.versions > 1) AS double,
    -- What was published though nobody but its writers approved of exactly that content, or whose
    -- version says something else than what they read.
    count(*) FILTER (
        WHERE request.status = 'published' AND NOT EXISTS (
            SELECT FROM governance_review review
            JOIN governance_revision revision ON revision.id = request.revision_id
            JOIN governance_change change ON change.request_id = request.id
            JOIN catalog_version version ON version.id = change.version_id
            WHERE review.request_id = request.id AND review.verdict = 'approve'
              AND review.revision_id = revision.id AND review.revision_hash = revision.hash
              AND NOT revision.editors @> to_jsonb(review.reviewer_id)
              AND version.words = revision.content #> '{items,0,words}'
              AND version.words ->> 'definition' LIKE 'Read %%'
        )
    ) AS unread,
    count(*) FILTER (WHERE request.status = 'publishing') AS stuck
FROM governance_changerequest request
LEFT JOIN LATERAL (
    SELECT count(*) AS versions FROM catalog_version version
    WHERE version.entry_id IN (SELECT entry_id FROM governance_change WHERE request_id = request.id)
      AND version.words ->> 'definition' IN (
        SELECT revision.content #>> '{items,0,words,definition}'
        FROM governance_revision revision WHERE revision.request_id = request.id
      )
) made ON true
WHERE request.id > %s
"""


@dataclass
class Outcome:
    """What came of a campaign. `double`, `unread` and `stuck` must be 0, and `faults` empty."""

    races: int = 0
    published: int = 0
    double: int = 0
    unread: int = 0
    stuck: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __str__(self):
        said = ", ".join(f"{count} x {status}" for status, count in sorted(self.answers.items()))
        return (
            f"{self.races} races, {self.published} published, {self.double} double, "
            f"{self.unread} unread, {self.stuck} stuck; answers: {said}"
        )


class Arena:
    """A company on the rig: two web processes, the worker that publishes, and signed-in people."""

    def __init__(self, rig: Rig):
        rig.start("web", "worker:default", env={"LOG_LEVEL": "WARNING"}, processes=2)
        self.company = Company()
        self.ana, self.ben, self.cem = (
            Person(user, rig.base_url)
            for user in (self.company.ana, self.company.ben, self.company.cem)
        )
        # Both at the same instant: people, not threads that wait for each other's start.
        self._pool = ThreadPoolExecutor(max_workers=2)

    def two_reviewers(self, races: int, *, seed: int = 1) -> Outcome:
        """Two reviewers approve the same revision at the same instant.

        In every other race policy asks for both. One version comes of each, and none is missed.
        """
        dice, outcome, first = random.Random(seed), Outcome(), _last_request()  # noqa: S311
        ways = list(product(DOORS, DOORS))
        for number in range(races):
            self._ask_for(1 + number % 2)
            request = self._request(f"Read {seed}-{number}.")
            mine, theirs = ways[number // 2 % len(ways)]
            revision = request.submitted
            deeds = [
                partial(self.ben.approve, request, revision, mine),
                partial(self.cem.approve, request, revision, theirs),
            ]
            self._at_once(deeds, dice.uniform(-0.004, 0.004), outcome)
            _wait_for(request, PUBLISHED_WITHIN)
        return _counted(outcome, first)

    def approve_while_edited(self, races: int, *, seed: int = 2) -> Outcome:
        """A reviewer approves what they read while the author edits it and submits again."""
        dice, outcome, first = random.Random(seed), Outcome(), _last_request()  # noqa: S311
        self._ask_for(1)
        for number in range(races):
            request = self._request(f"Read {seed}-{number}.")
            deeds = [
                partial(self.ben.approve, request, request.submitted, DOORS[number % len(DOORS)]),
                partial(self._edit, request, f"Unread {seed}-{number}."),
            ]
            self._at_once(deeds, dice.uniform(-0.06, 0.06), outcome)
            _wait_for(request, SETTLED_WITHIN)
            self._close(request)
        return _counted(outcome, first)

    def _ask_for(self, approvals: int) -> None:
        set_policy(
            change_class=ChangeClass.MEANING,
            tier=2,
            is_new=False,
            domain=self.company.sales,
            numbers=(approvals, approvals - 1, False),
            actor=None,
            via="test",
        )

    def _request(self, text: str) -> ChangeRequest:
        change = make_change(words={"definition": text})
        return submitted(change, author=self.company.ana)

    def _edit(self, request: ChangeRequest, text: str) -> int:
        content = make_content(make_change(words={"definition": text}))
        path = f"change-requests/{request.pk}"
        saved = self.ana.send("PATCH", path, {**content, "lock": request.draft.lock})
        if saved.status_code != requests.codes.ok:
            return saved.status_code
        lock = saved.json()["draft"]["lock"]
        return self.ana.send("POST", f"{path}/submit", {"lock": lock}).status_code

    def _at_once(self, deeds: list[Callable[[], int]], apart: float, outcome: Outcome) -> None:
        """Do both, the second `apart` seconds later (or, if negative, the first)."""
        waits = (max(0.0, -apart), max(0.0, apart))
        running = [
            self._pool.submit(_after, wait, deed) for wait, deed in zip(waits, deeds, strict=True)
        ]
        outcome.races += 1
        for one in running:
            status = one.result()
            outcome.answers[status] += 1
            if status >= requests.codes.server_error:
                outcome.faults.append(f"race {outcome.races}: a door answered {status}")

    def _close(self, request: ChangeRequest) -> None:
        request = ChangeRequest.objects.get(pk=request.pk)
        if request.is_open:
            try:
                withdraw(request, actor=self.company.ana, via="test")
            except WrongState:
                _wait_for(request, PUBLISHED_WITHIN)


def _after(wait: float, deed: Callable[[], int]) -> int:
    time.sleep(wait)
    return deed()


def _wait_for(request: ChangeRequest, seconds: float) -> None:
    """Until it is published; what is not by then is counted, not assumed."""
    deadline = time.monotonic() + seconds
    pending = ChangeRequest.objects.filter(pk=request.pk).exclude(status=Status.PUBLISHED)
    while pending.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def _last_request() -> int:
    return ChangeRequest.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _counted(outcome: Outcome, first: int) -> Outcome:
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [first])
        outcome.published, outcome.double, outcome.unread, outcome.stuck = cursor.fetchone()
    return outcome
