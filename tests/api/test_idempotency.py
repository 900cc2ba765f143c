"""A write that is sent twice with one key happens once, also when both arrive together."""

import threading

import pytest
from django.db import connections

from core.models import IdempotentAnswer
from governance.models import ChangeRequest
from tests import factories
from tests.api.caller import Caller

EDIT = {"key": "net_sales", "words": {"notes": "Once."}}


def _content(**other):
    return factories.make_content(EDIT, **other)


def test_the_second_answer_is_the_first_one(ana):
    first = ana.post("change-requests", _content(), key="k-1")
    again = ana.post("change-requests", _content(), key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotent-Replay"] == "true"
    assert again["Location"] == first["Location"]
    assert ChangeRequest.objects.count() == 2  # with the company's own


def test_another_request_with_the_same_key_is_refused(ana):
    ana.post("change-requests", _content(), key="k-1")

    response = ana.post("change-requests", _content(title="Other"), key="k-1")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_is_for_one_address(ana):
    made = ana.post("change-requests", _content(), key="k-1").json()
    lock = {"lock": made["draft"]["lock"]}
    ana.post(f"change-requests/{made['id']}/submit", lock, key="k-2")

    response = ana.post(f"change-requests/{made['id']}/withdraw", lock, key="k-2")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_belongs_to_one_person(ana, company):
    ana.post("change-requests", _content(), key="k-1")

    response = Caller(company.dia).post("change-requests", _content(), key="k-1")

    assert response.status_code == 201
    assert response.json()["author"]["username"] == "dia"


def test_a_refused_write_is_judged_anew(ana):
    opened = ana.post("change-requests", _content()).json()
    at = f"change-requests/{opened['id']}/submit"
    assert ana.post(at, {"lock": 7}, key="k-1").status_code == 409
    assert not IdempotentAnswer.objects.exists()

    ana.patch(f"change-requests/{opened['id']}", {"lock": 1, "title": "New"})
    assert ana.post(at, {"lock": 2}, key="k-1").status_code == 200


def test_a_key_that_is_too_long(ana):
    response = ana.post("change-requests", _content(), key="k" * 81)

    assert (response.status_code, response.json()["code"]) == (422, "invalid")


@pytest.fixture
def committed_company(committed_db):
    return factories.Company()


def test_two_at_the_same_moment_make_one_request(committed_company):
    ana = Caller(committed_company.ana)
    start, answers = threading.Barrier(4), []

    def send():
        try:
            start.wait()
            answers.append(ana.post("change-requests", _content(), key="k-1"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [response.status_code for response in answers] == [201] * 4
    assert all(response.json() == answers[0].json() for response in answers)
    assert sum("Idempotent-Replay" in response for response in answers) == 3
    assert ChangeRequest.objects.count() == 2


def test_two_reviewers_at_the_same_moment_publish_once(committed_company):
    company = committed_company
    request = company.restating(publish_when="button")
    factories.finish_preview(request)
    factories.approve(request, company.ben)
    callers = [Caller(person) for person in (company.ana, company.ben, company.cem)]
    start, answers = threading.Barrier(3), []
    body = {"revision": request.revision.hash}

    def send(caller):
        try:
            start.wait()
            answers.append(caller.post(f"change-requests/{request.pk}/publish", body))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=[caller]) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {response.status_code for response in answers} == {200}
    assert {response.json()["items"][0]["version"] for response in answers} == {2}
