"""What holds for every page: headers, errors, theme, and how much a page asks of the database."""

import json

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import path

from config.urls import urlpatterns as real_urls
from core.errors import NotAllowed, StaleRevision
from web.views import errors

PAGES = ["/profile", "/profile/password", "/profile/tokens", "/notices", "/more", "/shortcuts"]


def _stale(request):
    raise StaleRevision("r4 was submitted while you read.")


def _forbidden(request):
    raise NotAllowed("Authors cannot review their own change.")


def _broken(request):
    raise RuntimeError("a secret of the house")


urlpatterns = [
    path("test/stale", _stale),
    path("test/forbidden", _forbidden),
    path("test/broken", _broken),
    *real_urls,
]
handler400 = "web.views.errors.bad_request"
handler403 = "web.views.errors.permission_denied"
handler404 = "web.views.errors.not_found"
handler500 = "web.views.errors.server_error"


@pytest.mark.parametrize("url", PAGES)
def test_every_page_is_whole(web, url):
    answer = web.get(url)
    page = answer.content.decode()

    assert answer.status_code == 200
    assert page.count("<h1>") == 1
    assert '<a class="skip" href="#content">' in page
    for landmark in ("<main", "<nav", "<footer", 'role="search"'):
        assert landmark in page
    assert " style=" not in page
    assert " on" + "click=" not in page


@pytest.mark.parametrize("url", ["/sign-in", "/nowhere", *PAGES])
def test_the_policy_allows_nothing_inline(web, url):
    policy = web.get(url).headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("url", PAGES)
def test_the_frame_asks_little_of_the_database(web, url):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        web.get(url)

    assert len(queries) <= 7


def test_nothing_is_open_but_what_says_so(client, db):
    for url in PAGES:
        assert client.get(url).url == f"/sign-in?next={url}"
    assert client.get("/sign-in").status_code == 200
    assert client.get("/healthz").status_code in (200, 503)


@pytest.mark.urls("tests.web.test_frame")
@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/test/stale", 409, "r4 was submitted while you read."),
        ("/test/forbidden", 403, "Authors cannot review their own change."),
        ("/nowhere", 404, "There is nothing at this address"),
    ],
)
def test_a_refusal_is_a_page_with_its_sentence(web, url, status, said):
    answer = web.get(url)

    assert answer.status_code == status
    assert said in answer.content.decode()
    assert "Go to Home" in answer.content.decode()


def test_who_is_not_signed_in_is_led_there_from_a_wrong_address(client, db):
    page = client.get("/nowhere").content.decode()

    assert 'href="/sign-in">Sign in</a>' in page
    assert 'href="/">Go to Home</a>' not in page
    assert "autofocus" in client.get("/sign-in").content.decode()


@pytest.mark.urls("tests.web.test_frame")
def test_a_refused_panel_gets_the_sentence_alone(web):
    answer = web.get("/test/forbidden", headers={"hx-request": "true"})

    assert answer.status_code == 403
    assert answer.content.decode() == "Authors cannot review their own change."
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.urls("tests.web.test_frame")
def test_a_failure_of_ours_says_a_reference_and_nothing_else(web):
    web.raise_request_exception = False

    answer = web.get("/test/broken")

    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Nothing was half saved" in page
    assert answer["X-Request-ID"] in page
    assert "a secret of the house" not in page


def test_the_page_of_a_failure_needs_no_database():
    """Without the `db` fixture every query fails."""
    answer = errors.server_error(RequestFactory().get("/"))

    assert answer.status_code == 500
    assert "Something failed on our side" in answer.content.decode()


def test_a_form_of_an_earlier_session_is_explained(person):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)

    answer = strict.post("/notices/read")

    assert answer.status_code == 403
    assert "This form is from an earlier session" in answer.content.decode()


def test_the_theme_is_drawn_by_the_server(web):
    assert "data-theme" not in web.get("/profile").content.decode().split("<body")[0]

    web.post("/theme", {"theme": "dark", "next": "/profile"})
    assert '<html lang="en" data-theme="dark">' in web.get("/profile").content.decode()

    web.post("/theme", {"theme": "system"})
    assert "data-theme=" not in web.get("/profile").content.decode().split("<body")[0]


def test_the_theme_takes_only_what_it_knows(web):
    answer = web.post("/theme", {"theme": '"><script>', "next": "https://evil.example/"})

    assert answer.url == "/"
    assert web.cookies["theme"].value == ""


def test_htmx_is_set_to_evaluate_nothing_and_to_swap_refusals(web):
    page = web.get("/profile").content.decode()
    config = json.loads(page.split('name="htmx-config"')[1].split("'")[1])

    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False
    swapped = {rule["code"] for rule in config["responseHandling"] if rule["swap"]}
    assert {"422", "409"} <= swapped


def test_the_style_page_is_for_those_who_build(web, person):
    assert web.get("/style").status_code == 404

    person.is_staff = True
    person.save()

    assert web.get("/style").status_code == 200
    assert web.get("/style?faults").status_code == 422
