"""From a proposal to a version in force, as people go it."""

from catalog.models import Entry, LineageEdge, Metric, Version
from core import audit
from core.models import AuditEvent
from governance.choices import Status
from governance.services.publishing import publish, settle
from measurement.models import Backfill
from tests.factories import approve, finish_preview


def test_the_first_request_makes_entries_with_versions_lineage_and_resolutions(company):
    metric = Metric.objects.get(key="net_sales")

    assert company.start.status == Status.PUBLISHED
    assert str(metric.current_version) == "net_sales@1"
    assert [pin["key"] for pin in metric.current_resolution.pins] == ["orders", "net_sales"]
    edge = LineageEdge.objects.get()
    assert (edge.upstream.key, edge.downstream.key) == ("orders", "net_sales")
    assert list(metric.ownerships.values_list("user__username", flat=True)) == ["ana"]
    assert Backfill.objects.filter(purpose="publish").count() == 1


def test_a_restating_change_is_proposed_previewed_approved_and_published(company):
    request = company.restating()
    assert (request.status, request.change_class) == (Status.IN_REVIEW, "restating")

    finish_preview(request, "Past values fall by 3.1 % on average.")
    approve(request, company.ben)
    settle(request)

    request.refresh_from_db()
    metric = Metric.objects.get(key="net_sales")
    assert request.status == Status.PUBLISHED
    assert metric.current_version.number == 2
    assert metric.current_version.treatment == "restate"
    assert metric.current_version.comparability["headline"].startswith("Past values fall")
    assert metric.current_resolution.number == 2
    assert Version.objects.filter(entry__key="orders").count() == 1


def test_every_step_is_in_the_audit_log_with_who_and_from_where(company):
    request = company.restating()
    finish_preview(request)
    approve(request, company.ben)
    publish(request, revision_hash=request.revision.hash, actor=company.ana, via="web")

    told = AuditEvent.objects.filter(subject_id=str(request.pk), subject_type__contains="change")
    assert [(e.action, e.actor_label, e.via) for e in told.order_by("sequence")] == [
        ("change.open", "Ana", "test"),
        ("change.submit", "Ana", "test"),
        ("change.approve", "Ben", "test"),
        ("change.publish", "Ana", "web"),
    ]
    assert list(audit.verify_chain()) == []


def test_a_card_has_a_row_of_history_with_actor_and_reason(company):
    request = company.restating()
    finish_preview(request)
    approve(request, company.ben)
    publish(request, revision_hash=request.revision.hash, actor=company.ben, via="web")

    row = Metric.history.filter(key="net_sales").first()
    assert row.history_user == company.ben
    assert row.history_change_reason == f"{request}: A change"
    assert row.current_version_id == Entry.objects.get(key="net_sales").current_version_id
