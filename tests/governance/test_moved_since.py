"""What moved between a submit and its publication, and what may not be left out of either."""

import pytest

from catalog.models import Ownership
from core.errors import NotReady, OutOfDate
from governance import tasks
from governance.assessment import assess
from governance.choices import Status
from governance.content import read_content
from governance.models import ChangeRequest
from governance.services.publishing import publish
from governance.services.requests import rebase
from governance.services.submitting import submit
from tests.factories import (
    approve,
    finish_preview,
    make_change,
    make_item,
    make_user,
    published,
    submitted,
)


def test_every_item_that_may_move_the_past_is_previewed(company):
    """Also of a request over more metrics than are compared of what stands on them."""
    keys = [f"sales_{number}" for number in range(22)]
    published(*(make_item(key) for key in keys), author=company.ana, by=[company.ben])
    request = submitted(
        *(make_change(key, spec={"expression": "refund"}, treatment="restate") for key in keys),
        author=company.ana,
    )

    items = assess(read_content(request.revision.content)).preview_items
    assert {item.key for item in items} >= set(keys)


@pytest.mark.parametrize("tier", [2, 1])
def test_what_changed_on_a_card_since_makes_a_request_out_of_date(company, tier):
    """A proposal brings the whole of who answers; an older one must not take a newer one back."""
    make_user("fay", sales="viewer")
    mine = submitted(
        make_change(stewardship={"domain": "sales", "tier": 2, "owners": ["ana"], "target": "5"}),
        author=company.ana,
    )
    published(
        make_change(stewardship={"domain": "sales", "tier": tier, "owners": ["fay"]}),
        author=company.ana,
        by=[company.cem],
    )
    approve(mine, company.cem)

    with pytest.raises(OutOfDate, match="who answers for net_sales"):
        publish(mine, revision_hash=mine.revision.hash, actor=company.ana)
    assert Ownership.objects.get(entry__key="net_sales").user.username == "fay"

    rebase(mine, actor=company.ana)
    submit(mine, actor=company.ana)
    mine.refresh_from_db()
    approve(mine, company.cem)
    publish(mine, revision_hash=mine.revision.hash, actor=company.ana)
    assert Ownership.objects.get(entry__key="net_sales").user.username == "ana"


def test_what_has_become_weightier_since_needs_what_its_tier_asks(company):
    """A dataset is decided as strictly as the metric above it asks when it is published."""
    mine = submitted(
        make_change("orders", spec={"time_zone": "America/New_York"}), author=company.ana
    )
    published(
        make_change(stewardship={"domain": "sales", "tier": 1, "owners": ["ana"]}),
        author=company.ana,
        by=[company.cem],
    )
    finish_preview(mine)
    approve(mine, company.ben)

    with pytest.raises(NotReady, match="Out of date: orders is decided on Tier 1 now"):
        publish(mine, revision_hash=mine.revision.hash, actor=company.ana)


def test_the_sweep_goes_on_when_the_database_refuses_one(company):
    """Somebody made the approver the author by hand: his approval counts no more."""
    first = submitted(make_change(words={"definition": "The first."}), author=company.ana)
    other = submitted(make_change("orders", words={"definition": "Other."}), author=company.ana)
    for request in (first, other):
        approve(request, company.ben)
    ChangeRequest.objects.filter(pk=first.pk).update(author=company.ben)

    tasks.sweep_requests()

    found = dict(ChangeRequest.objects.values_list("pk", "status"))
    assert (found[first.pk], found[other.pk]) == (Status.IN_REVIEW, Status.PUBLISHED)
