"""What strangers write stays text, cookies and headers guard a session, and every link of the
frame leads somewhere."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve

from accounts.services import create_token
from catalog.models import Metric
from core.notices import tell
from governance.services.comments import comment
from tests import factories
from tests.web.conftest import PASSWORD, make_person
from web import navigation

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"}}{{ 7*7 }}"
WORDS = (
    *("definition", "is_not", "business_question", "caveats", "notes", "examples"),
    *("gaming_risk", "proxy_for"),
)
READ = (
    *("/", "/metrics", "/metrics?q=alert", "/metrics?domain=%3Cscript%3E", "/metrics/net_sales"),
    *("/metrics/net_sales@1", "/metrics/net_sales/history", "/metrics/net_sales/compare?a=1&b=2"),
    *("/metrics/net_sales/lineage", "/metrics/net_sales/checks", "/metrics/net_sales/changes"),
    *("/metrics/%3Cscript%3E", "/tree", "/changes", "/changes?q=%3Cscript%3E", "/changes/new"),
    *("/changes/{change}", "/changes/{change}/edit", "/changes/{change}/live", "/backfills"),
    *("/profile", "/profile/tokens", "/notices", "/suggestions?q=alert", "/%3Cscript%3E"),
    *("/admin/governance/changerequest/", "/admin/governance/changerequest/{change}/change/"),
    *("/admin/governance/comment/", "/admin/core/auditevent/", "/admin/catalog/metric/"),
    "/admin/?q=%3Cscript%3E",
)


@pytest.fixture
def told(db):
    """A company in which everybody's every text is hostile."""
    company = factories.Company()
    words = {**dict.fromkeys(WORDS, EVIL), "name": EVIL, "synonyms": [EVIL], "tags": [EVIL[:40]]}
    factories.published(
        factories.make_change("net_sales", words=words),
        author=company.ana,
        by=[company.cem],
        title=EVIL,
        reason=EVIL,
    )
    change = company.restating(title=EVIL, reason=EVIL)
    comment(change, text=EVIL, actor=company.eve)
    for person in (company.ana, company.cem):
        person.full_name = EVIL[:100]
        person.is_staff = True
        person.save()
    company.sales.name = EVIL
    company.sales.save()
    create_token(company.cem, name=EVIL[:80], scopes=["read"], days=9, actor=company.cem)
    tell([company.cem], key="k", kind="change", text=EVIL, url="javascript:alert(1)")
    return company, change


class _Acting(HTMLParser):
    """What acts in a page: handlers in attributes, addresses of scripts, scripts between tags."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "script" and "src" not in given and "json" not in (given.get("type") or ""):
            self.found.append("a script between tags")
        self.found += [f"{name} of {tag}" for name in given if name.startswith("on")]
        self.found += [
            f"{name} of {tag}: {text}"
            for name, text in attrs
            if text and text.strip().lower().startswith("javascript:")
        ]
        if given.get("src") == "x":
            self.found.append("an image of a stranger")


def test_texts_of_people_are_never_markup(told):
    company, change = told
    web = Client()
    web.force_login(company.cem)
    shown = 0

    for address in READ:
        page = web.get(address.format(change=change.pk)).content.decode()
        assert _Acting(page).found == [], address
        assert "<script>alert" not in page, address
        shown += "&lt;script&gt;alert" in page

    assert shown > 15
    assert Metric.objects.get(key="net_sales").name == EVIL


def test_a_notice_leads_nowhere_but_here(told):
    company, _ = told
    web = Client()
    web.force_login(company.cem)

    opened = web.post(f"/notices/{company.cem.notices.get(key='k').pk}/open")

    assert opened["Location"] == "/"


def test_an_export_has_no_name_and_no_cell_that_acts(told):
    company, _ = told
    web = Client()
    web.force_login(company.cem)

    answer = web.get("/metrics/net_sales.csv?by=%0D%0AX-Evil:%201&grain=%22")

    assert re.fullmatch(
        r'attachment; filename="net_sales-\w+-\d{8}\.csv"', answer["Content-Disposition"]
    )
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t"))]


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "evil"]
)
@pytest.mark.parametrize("address", ["/theme", "/sign-in"])
def test_nobody_is_led_to_another_site(db, address, target):
    make_person()
    form = {"theme": "dark", "username": "ana", "password": PASSWORD, "next": target}

    answer = Client().post(address, form)

    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_the_cookies_of_a_session_are_out_of_reach_of_scripts(db):
    make_person()
    client = Client()
    client.get("/sign-in")
    client.post("/sign-in", {"username": "ana", "password": PASSWORD})

    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


@pytest.mark.parametrize(
    "address", ["/sign-in", "/metrics", "/nowhere", "/admin/", "/api/v1/metrics"]
)
def test_every_answer_has_the_headers_that_guard_it(web, person, address):
    person.is_staff = True
    person.save()

    answer = web.get(address)

    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("place", navigation.PLACES, ids=lambda place: place.key)
def test_every_place_of_the_frame_is_there(place):
    assert resolve(place.url).view_name == place.view
    assert navigation.place_of(place.url) == place.key


@pytest.mark.parametrize(
    "url", [navigation.SEARCH_URL, navigation.PROPOSE_URL, navigation.TREE_URL]
)
def test_every_link_of_the_frame_is_there(url):
    assert resolve(str(url)).namespace == "web"
