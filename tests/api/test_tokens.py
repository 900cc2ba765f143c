"""A token opens what its scopes say, to nobody else and for no longer than it lives."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import create_token, revoke_token
from core import clock

URL = "/api/v1/audit-events"


@pytest.fixture
def person(db):
    return User.objects.create_user("ana")


def _get(secret, url=URL):
    return Client().get(url, headers={"authorization": f"Bearer {secret}"})


def _token(person, *scopes):
    return create_token(person, name="ci", scopes=list(scopes), days=30, actor=person)


def test_a_token_with_the_scope_reads(person):
    _, secret = _token(person, "audit")

    assert _get(secret).status_code == 200


def test_without_a_token_the_answer_says_how_to_come_in(db):
    response = Client().get(URL)

    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"
    assert response["WWW-Authenticate"] == "Bearer"


def test_the_wrong_scope_is_named(person):
    _, secret = _token(person, "read")

    response = _get(secret)

    assert response.status_code == 403
    assert response.json()["code"] == "wrong_scope"
    assert "audit" in response.json()["message"]


def _expire(token):
    token.expires_at = clock.now() - timedelta(days=1)
    token.save(update_fields=["expires_at"])


def _revoke(token):
    revoke_token(token, actor=token.user)


def _disable(token):
    token.user.is_active = False
    token.user.save(update_fields=["is_active"])


@pytest.mark.parametrize(
    ("end", "word"), [(_expire, "expired"), (_revoke, "revoked"), (_disable, "no longer sign in")]
)
def test_an_ended_token_says_why_and_what_next(person, end, word):
    token, secret = _token(person, "audit")
    end(token)

    response = _get(secret)

    assert response.status_code == 401
    assert response.json()["code"] == "authentication_failed"
    assert word in response.json()["message"]


@pytest.mark.parametrize("secret", ["etl_unknown", "Basic", "x" * 5000])
def test_an_unknown_token_is_refused(db, secret):
    assert _get(secret).status_code == 401


def test_the_secret_is_stored_nowhere(person):
    token, secret = _token(person, "audit")

    assert secret not in repr(vars(token))
    assert token.prefix == secret[:10]


def test_a_cursor_of_another_query_is_refused(person):
    _, secret = _token(person, "audit")
    for number in range(3):
        _token(person, "read", *(["audit"] if number else []))
    first = _get(secret, f"{URL}?limit=1").json()

    same = _get(secret, f"{URL}?limit=2&cursor={first['next_cursor']}")
    other = _get(secret, f"{URL}?action=token.create&cursor={first['next_cursor']}")
    forged = _get(secret, f"{URL}?cursor=abc")

    assert same.status_code == 200
    assert (other.status_code, forged.status_code) == (400, 400)
    assert "another query" in other.json()["message"]


def test_a_reader_who_has_the_answer_gets_304(person):
    _, secret = _token(person, "audit")
    first = _get(secret)

    again = Client().get(
        URL, headers={"authorization": f"Bearer {secret}", "if-none-match": first["ETag"]}
    )

    assert (again.status_code, again.content) == (304, b"")


def test_a_misspelt_parameter_is_not_ignored(person):
    _, secret = _token(person, "audit")

    response = _get(secret, f"{URL}?acton=x")

    assert response.status_code == 400
    assert response.json()["details"]["problems"][0]["place"] == "acton"
