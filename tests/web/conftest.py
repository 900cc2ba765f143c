"""A signed-in person, over HTTP and in a real browser.

`site` serves the test's database from a thread; `open_page` gives a page of Chromium on it. What
the browser complains of (script errors, refusals by the content security policy) fails the test.
"""

import html
import re
import threading
from functools import cache
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client

from accounts.choices import Role
from accounts.models import RoleGrant, User
from measurement.services.turns import work_off
from measurement.warehouses import close_sources
from tests.measurement import company as shop_of
from tests.measurement.catalog import Shop, sales_spec
from tests.measurement.conftest import NOON

PASSWORD = "a-measure-of-platinum"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def _hashed() -> str:
    """The password as it is kept: slow to make, as it should be, and so made once."""
    return make_password(PASSWORD)


def make_person(username="ana", **fields):
    fields.setdefault("full_name", username.title())
    return User.objects.create(username=username, password=_hashed(), **fields)


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text_of(answer) -> str:
    """What a page says, without the escapes of HTML."""
    return html.unescape(answer.content.decode())


def line_of(answer) -> str:
    """What a page says, wherever its template wraps it."""
    return re.sub(r"\s+", " ", text_of(answer))


@pytest.fixture
def person(db):
    return make_person()


@pytest.fixture
def web(client, person):
    """A client that is signed in as `person`."""
    client.force_login(person)
    return client


@pytest.fixture
def shop(committed_db, tmp_path, settings):
    """A shop with one metric and its values; cem is its steward, and ana only reads."""
    settings.ETALON_NOW = NOON
    shop_of.write(tmp_path / "shop", shop_of.orders(40))
    shop_of.make_source(tmp_path / "shop")
    shop = Shop()
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    shop.steward = make_person("cem")
    RoleGrant.objects.create(user=shop.steward, role=Role.STEWARD, domain=shop.domain)
    yield shop
    close_sources()


@pytest.fixture
def cem(shop):
    return signed_in(shop.steward)


class _Server(ThreadingMixIn, WSGIServer):
    """Each request has a thread of its own, whose connection ends with it, in that thread.

    Closing waits for what is still being answered: a straggler of one test would meet the rows of
    the next.
    """

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


class _Quiet(WSGIRequestHandler):
    # A browser opens lines in advance that it never uses.
    timeout = 10

    def log_message(self, *_):
        pass


@pytest.fixture
def site(committed_db):
    """The address of a running site."""
    server = make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def open_page(site, chrome):
    """Open pages: `open_page("/style", user=ana, theme="dark", width=360)`."""
    contexts, complaints = [], []

    def open_(path, *, user=None, theme="light", width=1280, height=900, **options):
        context = chrome.new_context(
            base_url=site,
            color_scheme=theme,
            viewport={"width": width, "height": height},
            **options,
        )
        contexts.append(context)
        if user is not None:
            key = signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": site}])
        page = context.new_page()
        page.complaints = complaints
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else 0,
        )
        page.goto(path, wait_until="load")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints, complaints


def violations(page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA, as rule and place."""
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]
