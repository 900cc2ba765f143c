"""`manage.py bootstrap` makes an empty installation usable, once."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Domain, RoleGrant, User
from core import audit
from core.errors import Invalid, NotAllowed
from core.models import AuditEvent
from governance.models import ApprovalPolicy
from governance.services.approval_policies import seed_default_policies, set_policy
from tests.factories import make_user


@pytest.fixture
def passwords(monkeypatch):
    monkeypatch.setenv("ETALON_ADMIN_PASSWORD", "correct horse battery")
    monkeypatch.setenv("ETALON_STEWARD_PASSWORD", "staple of the stable")


def test_it_makes_two_people_a_domain_and_the_policies(db, passwords, capsys):
    call_command("bootstrap", admin="ada", steward="stan", domain="finance")

    assert User.objects.get(username="ada").check_password("correct horse battery")
    assert {(g.user.username, g.role, g.domain) for g in RoleGrant.objects.all()} == {
        ("ada", "admin", None),
        ("stan", "steward", None),
    }
    assert Domain.objects.get().key == "finance"
    # Every class on every tier, and new things on every tier.
    assert ApprovalPolicy.objects.count() == 6 * 4 + 4
    assert list(audit.verify_chain()) == []


def test_a_second_time_changes_nothing(db, passwords):
    call_command("bootstrap", admin="ada", steward="stan")
    before = list(ApprovalPolicy.objects.values()), AuditEvent.objects.count()

    call_command("bootstrap", admin="ada", steward="stan")

    assert (list(ApprovalPolicy.objects.values()), AuditEvent.objects.count()) == before


def test_one_person_is_not_both(db, passwords):
    with pytest.raises(CommandError, match="two people"):
        call_command("bootstrap", admin="ada", steward="ada")


def test_a_weak_password_is_refused_and_nothing_is_made(db, passwords, monkeypatch):
    monkeypatch.setenv("ETALON_STEWARD_PASSWORD", "123")

    with pytest.raises(CommandError):
        call_command("bootstrap", admin="ada", steward="stan")

    assert not User.objects.exists()
    assert not ApprovalPolicy.objects.exists()


def test_what_a_steward_has_set_is_not_seeded_over(db):
    stan = make_user("stan", everywhere="steward")
    rule = {"change_class": "meaning", "tier": 1, "is_new": False, "domain": None}
    set_policy(**rule, numbers=(3, 1, False), actor=stan)

    seed_default_policies()

    row = ApprovalPolicy.objects.get(change_class="meaning", tier=1)
    assert row.approvals == 3
    assert row.history.get().history_user == stan


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        ({"change_class": "harmless", "tier": 1}, (1, 0, False)),
        ({"change_class": "meaning", "tier": 4}, (1, 0, False)),
        ({"change_class": "meaning", "tier": 1}, (1, 2, False)),
        ({"change_class": "meaning", "tier": 1}, (-1, 0, False)),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(db, rule, numbers):
    with pytest.raises(Invalid):
        set_policy(**rule, is_new=False, domain=None, numbers=numbers, actor=None)


def test_only_stewards_and_admins_set_policies(db):
    eve = make_user("eve", everywhere="reviewer")

    with pytest.raises(NotAllowed):
        set_policy(
            change_class="meaning",
            tier=1,
            is_new=False,
            domain=None,
            numbers=(0, 0, False),
            actor=eve,
        )
