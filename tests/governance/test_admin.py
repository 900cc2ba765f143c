"""Reviewers decide in the admin; nothing governed is edited there, whoever asks."""

from datetime import date

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from accounts.models import Domain, RoleGrant, User
from core.models import AuditEvent
from governance.choices import Status
from governance.models import ApprovalPolicy, ChangeRequest, Review
from governance.services.requests import save_draft
from governance.services.submitting import submit
from tests.factories import (
    approve,
    finish_preview,
    make_change,
    make_content,
    make_user,
    submitted,
)

LIST = "/admin/governance/changerequest/"
EDITABLE = {"accounts.User", "accounts.Domain", "governance.ApprovalPolicy"}
RECORDS = sorted(
    model._meta.label for model in admin.site._registry if model._meta.label not in EDITABLE
)


def page_of(request: ChangeRequest) -> str:
    return f"{LIST}{request.pk}/change/"


def signed_in(person: User, *, staff: bool = True, **options) -> Client:
    if person.is_staff != staff:
        person.is_staff = staff
        person.save(update_fields=["is_staff"])
    client = Client(**options)
    client.force_login(person)
    return client


def verdict(request: ChangeRequest, word: str, comment: str = "", **other) -> dict:
    request.refresh_from_db()
    return {
        "verdict": word,
        "comment": comment,
        "revision": request.revision.number,
        "revision_hash": request.revision.hash,
        **other,
    }


def words_of(response) -> str:
    """The answer's text on one line, however its template is laid out."""
    return " ".join(response.content.decode().split())


@pytest.fixture
def root(company):
    return User.objects.create_superuser("root", password="root-password")


@pytest.fixture
def ben(company):
    """A client of the reviewer, who is staff and nothing more."""
    return signed_in(company.ben)


def wording(company, note="A hint", **more) -> ChangeRequest:
    """An editorial change, which tier 1 lets one person approve."""
    change = make_change("net_sales", words={"notes": note})
    return submitted(change, author=company.ana, title=f"Wording: {note}", **more)


# --- The list ---


def test_a_reviewer_begins_with_what_waits_for_them(company, ben):
    mine, done = company.restating(title="Refunds"), company.start

    shown = words_of(ben.get(LIST))

    assert f"CR-{mine.pk}" in shown and "Refunds" in shown
    assert f"CR-{done.pk}<" not in shown
    assert "0/1" in shown and "Restating" in shown
    assert f"CR-{done.pk}<" in words_of(ben.get(LIST, {"show": "closed"}))
    assert f"CR-{mine.pk}" in words_of(ben.get(LIST, {"q": "net_sales"}))


def test_what_i_approved_waits_for_me_no_more(company_of_tier_1):
    company = company_of_tier_1
    request = company.restating(title="Refunds")
    client = signed_in(company.ben)
    client.post(page_of(request), verdict(request, "approve"))

    assert "Refunds" not in words_of(client.get(LIST))
    assert "1/2" in words_of(client.get(LIST, {"show": "decided"}))


def test_somebody_who_decides_nothing_begins_with_all_that_is_open(company, root):
    company.restating(title="Refunds")
    assert "Refunds" in words_of(signed_in(root).get(LIST))


def test_drafts_are_their_authors_own_affair(company, ben):
    from governance.services.requests import open_request

    draft = open_request(
        content=make_content(make_change("net_sales", words={"notes": "x"}), title="Half done"),
        actor=company.ana,
        via="test",
    )
    assert "Half done" not in words_of(ben.get(LIST, {"show": "all"}))
    assert ben.get(page_of(draft)).status_code == 302


# --- The page and the verdicts ---


def test_the_page_shows_what_a_decision_rests_on_and_changes_nothing(company, ben):
    request = company.restating(title="Refunds")
    run = finish_preview(request, "Past values fall by 3.1 % on average.")
    run.result["figures"]["net_sales"]["points"] = [
        {
            "period": str(date(2026, 1, day)),
            "label": str(day),
            "old": "100",
            "new": "97",
            "difference": "-3",
            "difference_pct": "-3",
            "is_complete": True,
        }
        for day in (5, 12, 19)
    ]
    run.save()
    before = everything_written()

    shown = words_of(ben.get(page_of(request)))

    assert "Because the test says so." in shown
    assert "Past values fall by 3.1 % on average." in shown
    assert "amount - refund" in shown
    assert "0 of 1 approvals" in shown and "Ask Ben, Cem" in shown
    assert "<svg" in shown and "In force" in shown
    assert "Approve r1" in shown and request.revision.hash in shown
    assert 'name="_save"' not in shown and "deletelink" not in shown
    assert everything_written() == before


def everything_written() -> dict:
    """How many rows there are of everything, and what the requests and the log say."""
    counts = {
        model._meta.label: model.objects.count()
        for model in apps.get_models()
        if model._meta.managed and model._meta.label != "accounts.Session"
    }
    return {
        **counts,
        "requests": list(ChangeRequest.objects.values()),
        "log": AuditEvent.objects.first().hash,
    }


@pytest.mark.parametrize("ending", ["", "history/", "delete/"])
def test_no_get_changes_anything(company, root, ending):
    request = company.restating()
    client = signed_in(root)
    before = everything_written()

    for query in ({}, verdict(request, "approve")):
        client.get(f"{LIST}{request.pk}/{ending or 'change/'}", query)
        client.get(LIST, query)
        client.get(f"{LIST}approve/", query)

    assert everything_written() == before


def test_approve(company, ben):
    request = company.restating()

    answer = ben.post(page_of(request), verdict(request, "approve", "Good."), follow=True)

    given = Review.objects.get(request=request)
    assert (given.verdict, given.reviewer, given.via) == ("approve", company.ben, "admin")
    assert (given.revision, given.comment) == (request.revision, "Good.")
    assert f"You approved r1 of {request}." in words_of(answer)
    assert AuditEvent.objects.filter(action="change.approve", via="admin").count() == 1


def test_approving_completes_the_policy_and_publishes(company, ben):
    from governance.services.publishing import settle

    request = company.restating()
    finish_preview(request)
    ben.post(page_of(request), verdict(request, "approve"))
    settle(request)

    request.refresh_from_db()
    assert request.status == Status.PUBLISHED
    shown = words_of(ben.get(page_of(request)))
    assert "Published as" in shown and "net_sales@2" in shown
    assert "amount - refund" in shown
    assert 'name="verdict"' not in shown


def test_request_changes(company, ben):
    request = company.restating()
    ben.post(page_of(request), verdict(request, "request_changes", "Name the refunds."))

    request.refresh_from_db()
    assert request.status == Status.CHANGES_REQUESTED
    assert Review.objects.get(request=request).comment == "Name the refunds."


def test_comment(company, ben):
    request = company.restating()
    ben.post(page_of(request), verdict(request, "comment", "Why now?"))

    request.refresh_from_db()
    assert request.status == Status.IN_REVIEW
    assert Review.objects.get(request=request).verdict == "comment"
    assert "Why now?" in words_of(ben.get(page_of(request)))


def test_a_stale_revision_is_refused_and_the_text_is_kept(company, ben):
    request = company.restating()
    old = verdict(request, "approve", "I read all of it.")
    content = {**request.revision.content, "title": "Another title", "stands_on": {}}
    save_draft(request, content=content, lock=request.draft.lock, actor=company.ana, via="test")
    request.draft.refresh_from_db()
    submit(request, lock=request.draft.lock, actor=company.ana, via="test")

    answer = ben.post(page_of(request), old)

    assert answer.status_code == 409
    assert "r2 was submitted while you read" in words_of(answer)
    assert "I read all of it.</textarea>" in words_of(answer)
    assert "Approve r2" in words_of(answer)
    assert not Review.objects.filter(request=request).exists()


@pytest.mark.parametrize(
    "sent", [{"revision_hash": "0" * 64}, {"revision_hash": ""}, {"revision": "7"}]
)
def test_another_hash_or_number_is_refused(company, ben, sent):
    request = company.restating()
    answer = ben.post(page_of(request), verdict(request, "approve", **sent))
    assert answer.status_code == 409
    assert not Review.objects.filter(request=request).exists()


def test_a_verdict_that_does_not_exist_is_refused(company, ben):
    request = company.restating()
    answer = ben.post(page_of(request), verdict(request, "publish"))
    assert answer.status_code == 422 and "is no verdict" in words_of(answer)


def test_asking_for_changes_without_words_is_refused(company, ben):
    request = company.restating()
    answer = ben.post(page_of(request), verdict(request, "request_changes"))
    assert answer.status_code == 422
    assert "Say what should differ." in words_of(answer)


def test_the_author_is_refused_with_the_reason_and_the_text(company):
    request = company.restating()
    RoleGrant.objects.create(user=company.ana, role=Role.STEWARD, domain=company.sales)
    client = signed_in(company.ana)

    shown = words_of(client.get(page_of(request)))
    answer = client.post(page_of(request), verdict(request, "approve", "My own."))

    assert "Authors cannot review their own change." in shown
    assert 'value="approve"' not in shown and 'value="comment"' in shown
    assert answer.status_code == 403
    assert "Authors cannot review their own change." in words_of(answer)
    assert "My own.</textarea>" in words_of(answer)
    assert not Review.objects.filter(request=request).exists()


@pytest.mark.parametrize("who", ["dia", "root"])
def test_nobody_without_the_role_in_the_domain_decides(company, root, who):
    request = company.restating()
    client = signed_in(User.objects.get(username=who))
    answer = client.post(page_of(request), verdict(request, "approve"))
    assert answer.status_code == 403
    assert not Review.objects.filter(request=request).exists()


def test_what_is_closed_takes_no_verdict(company, ben):
    answer = ben.post(page_of(company.start), verdict(company.start, "approve"))
    assert answer.status_code == 409
    assert "is published" in words_of(answer)


# --- Who comes in ---


def test_who_is_no_staff_is_sent_away(company):
    request = company.restating()
    client = signed_in(company.ben, staff=False)
    for address in ("/admin/", LIST, page_of(request)):
        assert client.get(address).status_code == 302
    answer = client.post(page_of(request), verdict(request, "approve"))
    assert answer.status_code == 302
    assert not Review.objects.filter(request=request).exists()


def test_staff_without_a_deciding_role_reads_nothing(company):
    request = company.restating()
    client = signed_in(company.eve)
    assert client.get(page_of(request)).status_code == 403
    assert client.post(page_of(request), verdict(request, "comment", "Hi")).status_code == 403


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.STEWARD, Role.ADMIN, Role.AUDITOR])
def test_staff_with_a_deciding_role_reads_every_record(company, role):
    client = signed_in(make_user("kim", growth=role))
    for label in RECORDS:
        assert client.get(changelist_of(label)).status_code == 200, label


def test_without_the_token_of_the_form_nothing_is_taken(company):
    request = company.restating()
    client = signed_in(company.ben, enforce_csrf_checks=True)
    assert client.post(page_of(request), verdict(request, "approve")).status_code == 403
    assert client.post(f"{LIST}approve/", {"ticked": request.pk}).status_code == 403
    assert not Review.objects.filter(request=request).exists()


# --- Nothing governed is edited ---


def changelist_of(label: str) -> str:
    app, name = label.lower().split(".")
    return reverse(f"admin:{app}_{name}_changelist")


def address_of(row, verb: str) -> str:
    app, name = row._meta.label_lower.split(".")
    return reverse(f"admin:{app}_{name}_{verb}", args=[row.pk])


def test_a_superuser_can_neither_add_change_nor_delete(company, root):
    request = company.restating()
    finish_preview(request)
    approve(request, company.ben)
    client = signed_in(root)
    for label in RECORDS:
        model = apps.get_model(label)
        before = list(model.objects.order_by("pk").values())
        add = changelist_of(label) + "add/"
        assert client.get(add).status_code == 403, label
        assert client.post(add, {}).status_code == 403, label
        for row in model.objects.all()[:1]:
            refused_everything(client, row)
        chosen = {
            "action": "delete_selected",
            "_selected_action": [str(pk) for pk in model.objects.values_list("pk", flat=True)],
            "post": "yes",
        }
        client.post(changelist_of(label), chosen)
        assert list(model.objects.order_by("pk").values()) == before, label


def refused_everything(client: Client, row) -> None:
    label = row._meta.label
    page = client.get(address_of(row, "change"))
    assert page.status_code == 200, label
    assert 'name="_save"' not in words_of(page), label
    fields = {field.name: "1" for field in row._meta.fields}
    changed = client.post(address_of(row, "change"), {**fields, "_save": "Save"})
    assert changed.status_code in (403, 409, 422), label
    assert client.post(address_of(row, "delete"), {"post": "yes"}).status_code == 403, label
    assert client.get(address_of(row, "history")).status_code in (200, 302), label


def test_no_list_offers_to_delete_or_to_edit_in_place(company, root):
    client = signed_in(root)
    company.restating()
    for model, options in admin.site._registry.items():
        assert not options.list_editable, model
        assert "delete_selected" not in words_of(client.get(changelist_of(model._meta.label)))


def test_records_say_why_they_cannot_be_edited(company, ben):
    version = apps.get_model("catalog.Version").objects.first()
    shown = words_of(ben.get(address_of(version, "change")))
    assert "Published versions can&#x27;t be edited. Propose a change." in shown


def test_the_history_of_a_metric_leads_to_its_versions(company, ben):
    metric = apps.get_model("catalog.Metric").objects.get(key="net_sales")
    answer = ben.get(address_of(metric, "history"))
    assert answer.status_code == 302 and answer.url == "/metrics/net_sales/history"


def test_an_earlier_state_cannot_be_brought_back(company, root):
    dataset = apps.get_model("catalog.Dataset").objects.get(key="orders")
    old = dataset.history.first()
    address = f"/admin/catalog/dataset/{dataset.pk}/history/{old.history_id}/"
    client = signed_in(root)
    assert "Revert" not in words_of(client.get(address))
    client.post(address, {"name": "Else", "_save": "Revert"})
    dataset.refresh_from_db()
    assert dataset.name == "Orders"


def test_a_source_shows_no_secret(company, ben):
    source = apps.get_model("measurement.Source").objects.get(key="shop")
    source.config = {**source.config, "token": "open sesame"}
    source.save()
    for address in (address_of(source, "change"), address_of(source, "history")):
        assert "open sesame" not in words_of(ben.get(address))
    version = source.history.first().history_id
    answer = ben.get(f"/admin/measurement/source/{source.pk}/history/{version}/")
    assert "open sesame" not in words_of(answer)


# --- Several at once ---


def test_editorial_changes_are_approved_together_each_with_its_result(company_of_tier_1):
    company = company_of_tier_1
    first, second = wording(company, "one"), company.restating(title="Refunds")
    client = signed_in(company.cem)
    chosen = {"action": "approve_selected", "_selected_action": [first.pk, second.pk]}

    asked = words_of(client.post(LIST, chosen))
    assert f'name="ticked" value="{first.pk}"' in asked
    assert f'name="ticked" value="{second.pk}"' not in asked
    assert "Restating changes are decided on their own page." in asked
    assert not Review.objects.filter(request__in=[first, second]).exists()

    sent = {"ticked": [first.pk, second.pk]}
    for one in (first, second):
        sent |= {f"hash_{one.pk}": one.revision.hash, f"revision_{one.pk}": 1}
    done = words_of(client.post(f"{LIST}approve/", sent))
    assert "1 of 2 approved" in done and "approved r1" in done and "refused: Restating" in done
    assert Review.objects.get(request=first).via == "admin"
    assert not Review.objects.filter(request=second).exists()


def test_together_is_refused_for_a_stale_revision_and_for_the_author(company_of_tier_1):
    company = company_of_tier_1
    request = wording(company)
    sent = {"ticked": [request.pk], f"hash_{request.pk}": "0" * 64}
    assert "refused: r1 was submitted" in words_of(
        signed_in(company.cem).post(f"{LIST}approve/", sent)
    )
    RoleGrant.objects.create(user=company.ana, role=Role.STEWARD, domain=company.sales)
    sent = {"ticked": [request.pk], f"hash_{request.pk}": request.revision.hash}
    assert "Authors cannot review" in words_of(signed_in(company.ana).post(f"{LIST}approve/", sent))
    assert not Review.objects.filter(request=request).exists()


# --- Policies, people, domains ---


def test_a_steward_sets_a_policy_through_the_service(company):
    policy = _own_policy(company)
    client = signed_in(company.cem)
    sent = {"approvals": 3, "stewards": 1}
    assert client.post(address_of(policy, "change"), sent).status_code == 302

    policy.refresh_from_db()
    assert (policy.approvals, policy.stewards) == (3, 1)
    event = AuditEvent.objects.first()
    assert (event.action, event.via, event.actor_id) == ("policy.set", "admin", company.cem.pk)


def test_a_policy_that_cannot_be_met_is_refused_in_words(company):
    policy = _own_policy(company)
    client = signed_in(company.cem)
    answer = client.post(address_of(policy, "change"), {"approvals": 1, "stewards": 2})
    assert "no more than all can be a steward" in words_of(answer)
    again = {
        "change_class": "restating",
        "tier": 2,
        "domain": company.sales.pk,
        "approvals": 1,
        "stewards": 0,
    }
    answer = client.post(reverse("admin:governance_approvalpolicy_add"), again)
    assert "There is such a row already." in words_of(answer)
    for elsewhere in ("", company.growth.pk):
        answer = client.post(
            reverse("admin:governance_approvalpolicy_add"), {**again, "domain": elsewhere}
        )
        assert "Only stewards of" in words_of(answer)
    new = {**again, "tier": 1}
    assert client.post(reverse("admin:governance_approvalpolicy_add"), new).status_code == 302
    assert ApprovalPolicy.objects.filter(domain=company.sales).count() == 2


def test_what_holds_in_all_domains_is_set_by_who_answers_for_all(company):
    policy = ApprovalPolicy.objects.filter(domain=None).first()
    sent = {"approvals": 0, "stewards": 0}
    assert signed_in(company.cem).post(address_of(policy, "change"), sent).status_code == 403
    RoleGrant.objects.create(user=company.cem, role=Role.STEWARD, domain=None)
    assert signed_in(company.cem).post(address_of(policy, "change"), sent).status_code == 302


def _own_policy(company) -> ApprovalPolicy:
    return ApprovalPolicy.objects.create(
        change_class="restating", tier=2, domain=company.sales, approvals=1
    )


@pytest.mark.parametrize("who", ["ben", "root"])
def test_nobody_else_sets_a_policy_and_nobody_removes_one(company, root, who):
    policy = ApprovalPolicy.objects.first()
    client = signed_in(User.objects.get(username=who))
    sent = {"approvals": 0, "stewards": 0}
    assert client.post(address_of(policy, "change"), sent).status_code == 403
    steward = signed_in(company.cem)
    assert steward.post(address_of(policy, "delete"), {"post": "yes"}).status_code == 403


@pytest.fixture
def chief(company):
    return signed_in(make_user("chief", everywhere=Role.ADMIN))


NO_GRANTS = {"grants-TOTAL_FORMS": 0, "grants-INITIAL_FORMS": 0}


def person_form(person: User, **other) -> dict:
    return {
        "username": person.username,
        "full_name": person.full_name,
        "email": "",
        "time_zone": "UTC",
        "is_active": "on",
        **NO_GRANTS,
        **other,
    }


def test_an_admin_takes_somebody_in_and_gives_and_takes_roles(company, chief):
    secret = "a-measure-of-platinum"
    sent = {
        "username": "fay",
        "full_name": "Fay",
        "is_staff": "on",
        "password1": secret,
        "password2": secret,
        "usable_password": "true",
        **NO_GRANTS,
    }
    answer = chief.post("/admin/accounts/user/add/", sent)
    assert answer.status_code == 302, words_of(answer)
    fay = User.objects.get(username="fay")
    assert fay.is_staff and not fay.is_superuser and fay.check_password(secret)

    row = {
        "grants-0-role": "reviewer",
        "grants-0-domain": company.sales.pk,
        "grants-0-user": fay.pk,
    }
    given = person_form(fay, is_staff="on", **{**row, "grants-TOTAL_FORMS": 1})
    assert chief.post(address_of(fay, "change"), given).status_code == 302
    grant = RoleGrant.objects.get(user=fay)
    assert (grant.role, grant.domain) == ("reviewer", company.sales)

    row = {"grants-0-id": grant.pk, "grants-0-user": fay.pk, "grants-0-DELETE": "on"}
    taken = {**row, "grants-TOTAL_FORMS": 1, "grants-INITIAL_FORMS": 1}
    assert chief.post(address_of(fay, "change"), person_form(fay, **taken)).status_code == 302
    assert not RoleGrant.objects.filter(user=fay).exists()
    actions = AuditEvent.objects.filter(subject_id=str(fay.pk), via="admin")
    assert {"person.add", "role.grant", "role.revoke"} <= set(
        actions.values_list("action", flat=True)
    )


def test_an_admin_sets_a_password(company, chief):
    sent = {"password1": "another-platinum", "password2": "another-platinum"}
    address = f"/admin/accounts/user/{company.eve.pk}/password/"
    answer = chief.post(address, {**sent, "usable_password": "true"})
    assert answer.status_code == 302
    company.eve.refresh_from_db()
    assert company.eve.check_password("another-platinum")
    assert AuditEvent.objects.first().action == "person.password_set"


def test_an_admin_makes_nobody_a_superuser_and_leaves_superusers_alone(company, chief, root):
    chief.post(address_of(company.eve, "change"), person_form(company.eve, is_superuser="on"))
    company.eve.refresh_from_db()
    assert not company.eve.is_superuser

    sent = {"password1": "another-platinum", "password2": "another-platinum"}
    address = f"/admin/accounts/user/{root.pk}/password/"
    assert chief.post(address, {**sent, "usable_password": "true"}).status_code == 403
    assert chief.post(address_of(root, "change"), person_form(root)).status_code == 403


def test_a_reviewer_looks_after_nobody(company, ben):
    assert ben.get("/admin/accounts/user/").status_code == 403
    assert ben.get(address_of(company.eve, "change")).status_code == 403
    assert ben.get("/admin/accounts/user/add/").status_code == 403
    assert ben.post("/admin/accounts/domain/add/", {"key": "x", "name": "X"}).status_code == 403


def test_nobody_is_deleted(company, chief, root):
    for client in (chief, signed_in(root)):
        answer = client.post(address_of(company.eve, "delete"), {"post": "yes"})
        assert answer.status_code == 403


def test_an_admin_makes_and_renames_domains(company, chief):
    sent = {"key": "finance", "name": "Finance", "parent": ""}
    assert chief.post("/admin/accounts/domain/add/", sent).status_code == 302
    finance = Domain.objects.get(key="finance")
    sent = {"key": "else", "name": "Finances", "parent": finance.pk}
    assert "part of itself" in words_of(chief.post(address_of(finance, "change"), sent))
    assert chief.post(address_of(finance, "change"), {**sent, "parent": ""}).status_code == 302
    finance.refresh_from_db()
    assert (finance.key, finance.name) == ("finance", "Finances")
