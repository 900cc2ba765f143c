"""Two people press at the same instant, on real transactions."""

import os

import pytest

from core import audit
from governance.services.verification import verify
from tests import factories
from tests.campaigns import races

# `make soak` runs more.
SAMPLE = int(os.environ.get("RACES", "24"))


@pytest.fixture
def company(committed_db):
    return factories.Company()


def test_two_reviewers_at_once_publish_once(company, record_figure):
    outcome = races.two_reviewers(company, SAMPLE)
    record_figure(f"Two reviewers in threads of one process: {outcome}")

    assert outcome.failures == ()
    assert (outcome.races, outcome.published, outcome.double) == (SAMPLE, SAMPLE, 0)
    assert list(audit.verify_chain()) == []


def test_what_is_approved_while_it_is_edited_is_published_as_read_or_not_at_all(
    company, record_figure
):
    outcome = races.approve_while_edited(company, SAMPLE)
    record_figure(f"Approved while it is edited, in threads of one process: {outcome}")

    assert outcome.failures == ()
    assert (outcome.races, outcome.double, outcome.unread) == (SAMPLE, 0, 0)
    assert list(verify()) == []


def test_what_is_published_while_it_is_edited_is_what_was_approved(company, record_figure):
    outcome = races.publish_while_edited(company, SAMPLE // 4)
    record_figure(f"Published while it is edited, in threads of one process: {outcome}")

    assert outcome.failures == ()
    assert (outcome.double, outcome.unread) == (0, 0)
