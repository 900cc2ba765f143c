"""`manage.py verify` finds what a superuser did behind the product's back."""

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from catalog.models import Metric
from core import audit, clock
from core.models import AuditEvent
from governance.models import ApprovalPolicy, ChangeRequest, Review
from governance.services.approval_policies import set_policy
from governance.services.publishing import publish, settle
from governance.services.verification import verify, verify_and_record
from tests import factories
from tests.database import superuser_url
from tests.factories import approve, make_change, published, submitted


@pytest.fixture
def company(committed_db):
    company = factories.Company()
    published(
        make_change(spec={"expression": "amount - refund"}, treatment="restate"),
        author=company.ana,
        by=[company.ben],
    )
    submitted(make_change(words={"notes": "Short."}), author=company.ana)
    return company


def as_superuser(*statements: str) -> None:
    with psycopg.connect(superuser_url(settings.DATABASES["default"]["NAME"])) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


def test_a_sound_installation_is_clean(company, capsys):
    assert [str(finding) for finding in verify()] == []

    call_command("verify")

    assert capsys.readouterr().out.startswith("Clean:")


def test_later_changes_of_roles_do_not_blame_the_past(company):
    company.ben.grants.all().delete()

    assert list(verify()) == []


DEEDS = {
    "definition rewritten": (
        "UPDATE catalog_definition SET spec = jsonb_set(spec, '{expression}', '\"refund\"') "
        "WHERE kind = 'metric'",
        "its content does not have its hash",
    ),
    "revision rewritten": (
        "UPDATE governance_revision SET content = jsonb_set(content, '{title}', '\"Other\"')",
        "its content does not have its hash",
    ),
    "version deleted": (
        "DELETE FROM catalog_version WHERE number = 2",
        "a version before it is missing",
    ),
    "version without a request": (
        "UPDATE governance_change SET version_id = NULL",
        "no change request stands behind it",
    ),
    "version rewritten": (
        "UPDATE catalog_version SET words = jsonb_set(words, '{name}', '\"Other\"')",
        "it is not what",
    ),
    "reviews deleted": ("DELETE FROM governance_review", "0 of 1 approvals"),
    "review turned": ("UPDATE governance_review SET verdict = 'comment'", "0 of 1 approvals"),
    "class forged": (
        "UPDATE catalog_version SET change_class = 'editorial' WHERE change_class = 'restating'",
        "no approval policy covered it",
    ),
    "editors forged": (
        "UPDATE governance_revision SET editors = editors || "
        "(SELECT jsonb_agg(reviewer_id) FROM governance_review)",
        "0 of 1 approvals",
    ),
    "older version shown": (
        "UPDATE catalog_entry SET current_version_id = "
        "(SELECT min(v.id) FROM catalog_version v WHERE v.entry_id = catalog_entry.id)",
        "its card shows version 1, the newest is 3",
    ),
    "tier lowered": ("UPDATE catalog_entry SET tier = 3", "its tier or domain is not the one"),
    "owner slipped in": (
        "INSERT INTO catalog_ownership (entry_id, user_id, role) "
        "SELECT e.id, u.id, 'owner' FROM catalog_entry e, accounts_user u "
        "WHERE u.username = 'dia'",
        "its owners are not those",
    ),
    "policy loosened": (
        "UPDATE governance_approvalpolicy SET approvals = 0, stewards = 0",
        "it is not what was set",
    ),
    "pins rewritten": (
        "UPDATE catalog_resolution SET pins = '[]'",
        "its pins do not have its hash",
    ),
    "older resolution": (
        "UPDATE catalog_metric SET current_resolution_id = "
        "(SELECT min(id) FROM catalog_resolution)",
        "its resolution is not made of what is in force",
    ),
    "event rewritten": (
        "UPDATE core_auditevent SET actor_label = 'Nobody' WHERE sequence = 3",
        "its content is not what was recorded",
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_each_deed_is_found(company, deed):
    statement, expected = DEEDS[deed]

    as_superuser(statement)

    assert any(expected in finding.problem for finding in verify()), list(map(str, verify()))
    with pytest.raises(CommandError, match="finding"):
        call_command("verify")


def test_a_cut_tail_is_found_by_a_head_that_was_saved_elsewhere(company, tmp_path):
    heads = tmp_path / "heads.jsonl"
    call_command("audit_head", "--save", str(heads))

    as_superuser(
        "DELETE FROM core_auditevent WHERE sequence > (SELECT max(sequence) - 2 "
        "FROM core_auditevent)"
    )

    assert list(audit.verify_chain()) == []
    with pytest.raises(CommandError, match="1 finding"):
        call_command("verify", "--head", str(heads))


@pytest.mark.parametrize("text", ["", "nonsense", '{"sequence": 1}'])
def test_a_head_that_is_none_is_refused(company, tmp_path, text):
    file = tmp_path / "heads.jsonl"
    file.write_text(text)

    with pytest.raises(CommandError):
        call_command("verify", "--head", str(file))


def test_the_nightly_run_leaves_a_note(company):
    assert verify_and_record() == []
    assert AuditEvent.objects.first().action == "verify.run"


def test_a_publication_by_stewardship_alone_is_verified_too(company):
    stewardship = {"domain": "sales", "tier": 1, "owners": ["ben"]}
    request = submitted(make_change(stewardship=stewardship), author=company.ana)
    approve(request, company.cem)
    settle(request)

    assert Metric.objects.get(key="net_sales").tier == 1
    assert [str(finding) for finding in verify()] == []
    as_superuser("DELETE FROM governance_review WHERE verdict = 'approve'")
    assert any("net_sales had 0 of 1" in finding.problem for finding in verify())


def _restating(company) -> ChangeRequest:
    item = make_change(spec={"expression": "amount * 2"}, treatment="restate")
    return submitted(item, author=company.ana)


def test_a_policy_that_was_lowered_for_a_moment_is_found(company):
    """By the application's own role, and put back before anybody looks."""
    kept = list(ApprovalPolicy.objects.values_list("pk", "approvals", "stewards"))
    ApprovalPolicy.objects.update(approvals=0, stewards=0)
    request = _restating(company)
    factories.finish_preview(request)
    publish(request, revision_hash=request.revision.hash, actor=company.ana, via="test")
    for pk, approvals, stewards in kept:
        ApprovalPolicy.objects.filter(pk=pk).update(approvals=approvals, stewards=stewards)

    assert [str(finding) for finding in verify()] == [
        f"{request}: net_sales was asked for less or more than policy asked for then"
    ]


def test_a_forged_review_is_found(company):
    """Written as a row by the application's own role, by nobody's hand."""
    request = _restating(company)
    factories.finish_preview(request)
    for reviewer in (company.ben, company.cem):
        Review.objects.create(
            request=request,
            revision=request.revision,
            revision_hash=request.revision.hash,
            reviewer=reviewer,
            author_id=company.ana.pk,
            verdict="approve",
            via="web",
            reviewed_at=clock.now(),
        )
    publish(request, revision_hash=request.revision.hash, actor=company.ana, via="test")

    assert [str(finding) for finding in verify()] == [
        f"{request}: it has an approval that the audit log does not know"
    ]


def test_a_policy_that_was_set_since_does_not_blame_the_past(company):
    set_policy(
        change_class="restating",
        tier=2,
        is_new=False,
        domain=None,
        numbers=(3, 2, False),
        actor=None,
    )

    assert list(verify()) == []
