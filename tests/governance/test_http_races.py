"""Two people press at the same instant, over HTTP: real web processes, a real worker."""

import os

import pytest

from governance.services.verification import verify
from tests.campaigns.http_races import Arena

pytestmark = pytest.mark.slow

# `make soak` runs more.
SAMPLE = int(os.environ.get("HTTP_RACES", "18"))


def test_nothing_is_published_twice_or_unread(rig, record_figure):
    arena = Arena(rig)

    at_once = arena.two_reviewers(SAMPLE)
    record_figure(f"Two reviewers at the same instant: {at_once}")
    while_edited = arena.approve_while_edited(SAMPLE)
    record_figure(f"Approved while it is edited: {while_edited}")

    for outcome in (at_once, while_edited):
        assert outcome.faults == []
        assert (outcome.double, outcome.unread, outcome.stuck) == (0, 0, 0)
        assert outcome.races == SAMPLE
    assert at_once.published == SAMPLE
    assert list(verify()) == []
