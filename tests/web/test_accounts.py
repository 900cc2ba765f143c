"""Profile, password, API tokens and notices of a person."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.choices import Role, Scope
from accounts.models import ApiToken, Domain
from accounts.services import create_token, grant_role
from core import clock
from core.models import AuditEvent, Notice
from core.notices import tell
from tests.web.conftest import PASSWORD, make_person

PROFILE = {"full_name": "Ana Ruiz", "time_zone": "Europe/Madrid", "single_keys": "on"}


def test_a_profile_is_saved_and_recorded(web, person):
    answer = web.post("/profile", PROFILE, follow=True)

    person.refresh_from_db()
    assert (person.full_name, person.time_zone) == ("Ana Ruiz", "Europe/Madrid")
    assert "Your profile is saved." in answer.content.decode()
    assert "Times in Europe/Madrid" in answer.content.decode()
    assert AuditEvent.objects.get().action == "person.edit"


def test_an_unknown_time_zone_is_refused_in_its_place(web, person):
    answer = web.post("/profile", {**PROFILE, "time_zone": "Mars/Olympus"})

    person.refresh_from_db()
    assert answer.status_code == 422
    assert person.time_zone == "UTC"
    page = answer.content.decode()
    assert '<a href="#id_time_zone">Time zone</a>: There is no such time zone.' in page
    assert 'aria-invalid="true"' in page


def test_saving_a_profile_without_a_difference_records_nothing(web, person):
    web.post("/profile", PROFILE)
    web.post("/profile", PROFILE)

    assert AuditEvent.objects.count() == 1


def test_roles_are_said_in_sentences(web, person):
    growth = Domain.objects.create(key="growth", name="Growth")
    grant_role(person, role=Role.REVIEWER, domain=growth, actor=None)
    grant_role(person, role=Role.AUDITOR, domain=None, actor=None)

    page = web.get("/profile").content.decode()

    assert "Reviewer in Growth" in page
    assert "Auditor in all domains" in page


def test_a_new_password_ends_the_other_sessions(web, person):
    elsewhere = Client()
    elsewhere.force_login(person)

    answer = web.post("/profile/password", {"current": PASSWORD, "new": "iridium-and-platinum"})

    assert answer.url == "/profile"
    assert web.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 302


@pytest.mark.parametrize(
    ("current", "new", "said"),
    [
        ("wrong", "iridium-and-platinum", "This is not your current password."),
        (PASSWORD, "12345678", "This password is too common."),
        (PASSWORD, "", "This field is required."),
    ],
)
def test_a_password_is_refused_with_its_reason(web, person, current, new, said):
    answer = web.post("/profile/password", {"current": current, "new": new})

    person.refresh_from_db()
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert person.check_password(PASSWORD)


def test_a_token_is_shown_once_and_never_kept_in_clear(web, person):
    asked = {"name": "Nightly export", "scopes": [Scope.READ, Scope.PROPOSE], "days": 30}

    sent = web.post("/profile/tokens", asked)
    made = web.get(sent.url)

    token = ApiToken.objects.get()
    secret = made.context["secret"]
    assert (sent.status_code, sent.url) == (302, "/profile/tokens")
    assert secret not in str(dict(web.session))
    assert secret in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    assert secret not in web.get("/profile/tokens").content.decode()
    assert token.digest != secret
    assert token.scopes == ["propose", "read"]
    assert token.expires_at - token.created_at == timedelta(days=30)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scopes": []}, "Choose at least one thing that the token may do."),
        ({"days": 366}, "less than or equal to 365"),
        ({"name": "   "}, "This field is required."),
        ({"scopes": ["everything"]}, "everything is not one of the available choices"),
    ],
)
def test_a_token_is_refused_with_its_reason(web, change, said):
    asked = {"name": "Nightly export", "scopes": [Scope.READ], "days": 30, **change}

    answer = web.post("/profile/tokens", asked)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_by_its_owner_alone(web, person):
    token, _ = create_token(person, name="CI", scopes=["read"], days=3, actor=person)
    ben = make_person("ben")
    other, _ = create_token(ben, name="CI", scopes=["read"], days=3, actor=ben)

    assert web.post(f"/profile/tokens/{token.pk}/revoke").status_code == 302
    assert web.post(f"/profile/tokens/{other.pk}/revoke").status_code == 404

    token.refresh_from_db()
    other.refresh_from_db()
    assert token.revoked_at
    assert other.revoked_at is None


def test_tokens_say_what_state_they_are_in(web, person):
    expired, _ = create_token(person, name="Old", scopes=["read"], days=3, actor=person)
    ApiToken.objects.update(expires_at=clock.now() - timedelta(days=1))
    create_token(person, name="New", scopes=["read"], days=3, actor=person)

    rows = {row["token"].name: row["state"] for row in web.get("/profile/tokens").context["tokens"]}

    assert rows == {"New": "active", "Old": "expired"}


def test_the_bell_counts_what_is_unread(web, person):
    tell([person], key="cr-1", kind="change.published", text="Net sales v3", url="/metrics/x")
    tell([person], key="cr-2", kind="change.published", text="Baskets v2")

    page = web.get("/profile").content.decode()
    assert 'aria-label="Notices, 2 unread"' in page

    assert web.post("/notices/read").url == "/notices"
    assert 'aria-label="Notices"' in web.get("/profile").content.decode()


def test_opening_a_notice_reads_it_and_leads_to_its_page(web, person):
    tell([person], key="cr-1", kind="change.published", text="Net sales v3", url="/metrics/x")
    notice = Notice.objects.get()

    assert web.get(f"/notices/{notice.pk}/open").status_code == 405
    assert web.post(f"/notices/{notice.pk}/open").url == "/metrics/x"

    notice.refresh_from_db()
    assert notice.read_at


def test_notices_of_others_are_not_mine(web, person):
    tell([make_person("ben")], key="cr-1", kind="change.published", text="For Ben")
    notice = Notice.objects.get()

    assert web.post(f"/notices/{notice.pk}/open").status_code == 404
    assert "For Ben" not in web.get("/notices").content.decode()
    notice.refresh_from_db()
    assert notice.read_at is None


def test_the_panel_of_the_bell_is_a_panel(web, person):
    tell([person], key="cr-1", kind="change.published", text="Net sales v3")

    answer = web.get("/notices?latest=1", headers={"hx-request": "true"})

    assert "<html" not in answer.content.decode()
    assert "Net sales v3" in answer.content.decode()
    assert "HX-Request" in answer.headers["Vary"]


def test_many_notices_come_in_pages(web, person):
    for n in range(45):
        tell([person], key=f"cr-{n}", kind="change.published", text=f"Change {n}")

    first, second = web.get("/notices"), web.get("/notices?page=2")

    assert len(first.context["rows"]) == 40
    assert len(second.context["rows"]) == 5
    assert 'rel="next"' in first.content.decode()
