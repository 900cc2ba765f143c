"""Who gets in, who waits, and where they arrive."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now

from accounts.models import SignInAttempt
from accounts.services import (
    ATTEMPT_WINDOW,
    ATTEMPTS_FROM_ADDRESS,
    ATTEMPTS_OF_NAME,
    ATTEMPTS_OF_NAME_FROM_ADDRESS,
    begin_sign_in,
)
from core.errors import TooManyAttempts
from tests.web.conftest import PASSWORD, make_person


def _try(client, password=PASSWORD, username="ana", **more):
    data = {"username": username, "password": password, **more}
    return client.post("/sign-in", data)


def test_a_page_asks_who_is_there_and_leads_back_to_itself(client, person):
    asked = client.get("/profile")
    assert asked.url == "/sign-in?next=/profile"

    answer = _try(client, next="/profile")

    assert answer.url == "/profile"
    assert client.get("/profile").status_code == 200


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(client, person):
    wrong = _try(client, password="wrong")
    unknown = _try(client, username="nobody", password="wrong")

    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert "do not belong together" in wrong.content.decode()
    assert wrong.context["form"].errors == unknown.context["form"].errors


def test_a_person_who_is_not_active_does_not_get_in(client, person):
    person.is_active = False
    person.save()

    assert _try(client).status_code == 422


def test_empty_fields_are_named(client, db):
    answer = client.post("/sign-in", {})

    assert "Enter your user name." in answer.content.decode()
    assert answer.status_code == 422


def test_after_too_many_tries_even_the_right_password_waits(client, person):
    for _ in range(ATTEMPTS_OF_NAME_FROM_ADDRESS):
        _try(client, password="wrong")

    answer = _try(client)

    assert answer.status_code == 429
    assert "Too many attempts. Wait 15 minutes and try again" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_waiting_helps(client, person):
    for _ in range(ATTEMPTS_OF_NAME_FROM_ADDRESS):
        _try(client, password="wrong")
    SignInAttempt.objects.update(at=Now() - ATTEMPT_WINDOW - timedelta(seconds=1))

    assert _try(client).status_code == 302


def test_a_refused_try_is_not_counted(person, client):
    for _ in range(ATTEMPTS_OF_NAME_FROM_ADDRESS + 3):
        _try(client, password="wrong")

    assert SignInAttempt.objects.count() == ATTEMPTS_OF_NAME_FROM_ADDRESS


def test_a_stranger_elsewhere_does_not_hold_a_person_out(client, person):
    for _ in range(ATTEMPTS_OF_NAME_FROM_ADDRESS):
        begin_sign_in("ana", address="203.0.113.9")

    assert _try(client).status_code == 302


@pytest.mark.parametrize(
    ("limit", "name_of", "address_of"),
    [
        (ATTEMPTS_OF_NAME, lambda n: "Ana ", lambda n: f"203.0.113.{n}"),
        (ATTEMPTS_FROM_ADDRESS, lambda n: f"name{n}", lambda n: "203.0.113.9"),
    ],
    ids=["of one name from anywhere", "from one address for any name"],
)
def test_tries_are_limited(limit, name_of, address_of, db):
    for n in range(limit):
        begin_sign_in(name_of(n), address=address_of(n))

    with pytest.raises(TooManyAttempts) as refused:
        begin_sign_in("ana", address="203.0.113.9")

    assert 0 < refused.value.details["wait_seconds"] <= ATTEMPT_WINDOW.total_seconds()


def test_the_right_password_forgets_the_tries(client, person):
    for _ in range(ATTEMPTS_OF_NAME_FROM_ADDRESS - 1):
        _try(client, password="wrong")

    _try(client)

    assert SignInAttempt.objects.count() == 0


def test_old_tries_are_thrown_away(db):
    begin_sign_in("ana", address="203.0.113.9")
    SignInAttempt.objects.update(at=Now() - timedelta(days=2))

    begin_sign_in("ben", address="203.0.113.9")

    assert SignInAttempt.objects.get().username == "ben"


def test_tries_at_the_same_moment_are_counted_one_by_one(committed_db):
    outcomes = []

    def attempt():
        try:
            begin_sign_in("ana", address="203.0.113.9")
            outcomes.append("counted")
        except TooManyAttempts:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("counted") == ATTEMPTS_OF_NAME_FROM_ADDRESS


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""]
)
def test_nobody_is_sent_to_another_site(client, person, target):
    assert _try(client, next=target).url == "/"


def test_the_admin_has_no_door_of_its_own(client, db):
    assert client.get("/admin/login/?next=/admin/").url == "/sign-in?next=%2Fadmin%2F"


def test_a_person_without_the_admin_is_told_so(web):
    answer = web.get("/admin/", follow=True)

    assert answer.status_code == 403
    assert "The admin is for reviewers, stewards and administrators." in answer.content.decode()


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client, person):
    answer = client.post("/notices/read", headers={"referer": "http://testserver/notices?page=2"})

    assert answer.url == "/sign-in?next=/notices%3Fpage%3D2"


def test_a_panel_whose_session_has_ended_gets_the_whole_page(client, db):
    answer = client.get(
        "/sign-in",
        headers={"hx-request": "true", "hx-current-url": "http://testserver/changes"},
    )

    assert answer.headers["HX-Redirect"] == "/sign-in?next=/changes"


def test_signing_out_ends_the_session(web):
    assert web.get("/sign-out").status_code == 405

    assert web.post("/sign-out").url == "/sign-in"

    assert web.get("/profile").status_code == 302


def test_the_session_key_changes_when_somebody_signs_in(client, person):
    client.get("/sign-in")
    before = client.session.session_key

    _try(client)

    assert client.session.session_key != before


def test_the_word_of_a_proxy_counts_only_behind_one(client, db, settings):
    make_person("ben")
    settings.SECURE_PROXY_SSL_HEADER = None
    client.post(
        "/sign-in",
        {"username": "ben", "password": "wrong"},
        headers={"x-forwarded-for": "198.51.100.7"},
    )
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    client.post(
        "/sign-in",
        {"username": "ben", "password": "wrong"},
        headers={"x-forwarded-for": "10.0.0.1, 198.51.100.7"},
    )

    addresses = set(SignInAttempt.objects.values_list("address", flat=True))
    assert addresses == {"127.0.0.1", "198.51.100.7"}
