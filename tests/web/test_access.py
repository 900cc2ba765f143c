"""Every address of the pages and of the admin: who comes in, by method. Nobody else does.

The tables are the specification, and an address that is missing from them fails the tests. What
the API answers is in `tests/api/test_access.py`.

A cell is a status; `in` leads to the sign-in, `->` to another page of this site.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from http.cookies import SimpleCookie
from itertools import cycle
from urllib.parse import urlencode

import pytest
from django.contrib.auth.hashers import make_password
from django.core.handlers.base import BaseHandler
from django.db import connection, transaction
from django.template.backends.django import Template
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver

from accounts.choices import Role
from accounts.services import create_token
from catalog.models import Dataset, Definition, Metric, Ownership, Resolution, Segment, Version
from core import clock
from core.models import AuditEvent, Notice
from core.notices import tell
from governance.models import ApprovalPolicy, Comment, Review
from governance.services.approval_policies import set_policy
from governance.services.comments import comment
from governance.services.requests import open_request
from measurement.models import Backfill, Check, CheckRun, Source
from tests import factories

# Who asks. `left` was switched off while signed in, `elsewhere` reviews another domain, `boss` is
# a superuser without a role. Staff are `elsewhere`, `steward`, `admin` and `boss`.
PEOPLE = ("nobody", "left", "viewer", "owner", "author", "elsewhere", "steward", "admin", "boss")
STAFF = ("elsewhere", "steward", "admin", "boss")
# Drawing takes longer than deciding. All pages are drawn to the end for these two, and these pages
# for everybody: the frame, and what is shown of one's own.
DRAWN_FOR = ("viewer", "steward")
DRAWN = {
    *("", "changes", "changes/<int:pk>", "changes/<int:pk>/edit", "notices", "profile"),
    *("profile/sessions", "profile/tokens", r"^metrics/(?P<key>[a-z]\w*)$", "sign-in", "admin/"),
}

EDITOR = (
    "edit",
    "draft",
    "formula",
    "check",
    "live",
    "preview",
    "submit",
    "discard",
    "items",
    "stewardship",
)
# A try at a password is counted, right or wrong.
SIGNING = ("sign-in",)
FORM = "application/x-www-form-urlencoded"
PASSWORD = "a-measure-of-platinum"  # noqa: S105

# fmt: off
#         nobody left viewer owner author elsewhere steward admin boss
READ   = "in     in   200    200   200    200       200     200   200"
NO_GET = "in     in   405    405   405    405       405     405   405"
DONE   = "in     in   ->     ->    ->     ->        ->      ->    ->"
# Whoever contributes anywhere proposes; who contributes in its domain helps.
OPENS  = "in     in   403    403   ->     ->        ->      ->    403"
HELP   = "in     in   403    403   ->     403       ->      ->    403"
# Each address with what a GET answers; the second line is what a POST does that is filled in well.
PAGES = {
    # Open to all, and without workers it says that they are missing.
    "healthz":                        ("503 503 503 503 503 503 503 503 503",
                                       "405 405 405 405 405 405 405 405 405"),
    "":                               (READ, NO_GET),
    "metrics":                        (READ, NO_GET),
    "suggestions":                    (READ, NO_GET),
    "tree":                           (READ, NO_GET),
    r"^metrics/(?P<key>[a-z]\w*)$":   (READ, NO_GET),
    r"^metrics/(?P<key>[a-z]\w*)@(?P<number>[0-9]{1,9})$": (READ, NO_GET),
    r"^metrics/(?P<key>[a-z]\w*)\.csv$": (READ, NO_GET),
    "metrics/<slug:key>/follow":      (NO_GET, DONE),
    "metrics/<slug:key>/history":     (READ, NO_GET),
    "metrics/<slug:key>/compare":     (READ, NO_GET),
    "metrics/<slug:key>/lineage":     (READ, NO_GET),
    "metrics/<slug:key>/checks":      (READ, NO_GET),
    "metrics/<slug:key>/compute":     (READ, "in in 403 -> 403 403 -> -> 403"),
    "metrics/<slug:key>/changes":     (READ, NO_GET),
    "metrics/<slug:key>/back":        (NO_GET, OPENS),
    "changes":                        (READ, NO_GET),
    "changes/new":                    (READ, OPENS),
    "changes/<int:pk>":               (READ, NO_GET),
    "changes/<int:pk>/edit":          ("in in 403 403 200 403 200 200 403", NO_GET),
    "changes/<int:pk>/draft":         (NO_GET, HELP),
    "changes/<int:pk>/formula":       (NO_GET, HELP),
    "changes/<int:pk>/formula/check": (NO_GET, "in in 403 403 200 403 200 200 403"),
    "changes/<int:pk>/live":          ("in in 403 403 200 403 200 200 403", NO_GET),
    # Words alone: no value moves, and there is nothing to compute.
    "changes/<int:pk>/preview":       (NO_GET, "in in 403 403 422 403 422 422 403"),
    "changes/<int:pk>/submit":        (NO_GET, HELP),
    "changes/<int:pk>/discard":       (NO_GET, "in in 403 403 -> 403 403 403 403"),
    "changes/<int:pk>/items":         (NO_GET, HELP),
    "changes/<int:pk>/stewardship":   (NO_GET, HELP),
    "changes/<int:pk>/review":        (NO_GET, "in in 403 -> 403 403 -> 403 403"),
    "changes/<int:pk>/publish":       (NO_GET, "in in 403 409 409 403 409 403 403"),
    "changes/<int:pk>/withdraw":      (NO_GET, "in in 403 403 -> 403 403 403 403"),
    "changes/<int:pk>/reject":        (NO_GET, "in in 403 403 403 403 -> -> 403"),
    "changes/<int:pk>/comment":       (NO_GET, "in in -> -> -> -> -> -> 403"),
    "changes/<int:pk>/rebase":        (NO_GET, HELP),
    "changes/<int:pk>/compare":       (NO_GET, "in in -> -> -> -> -> -> 403"),
    "changes/<int:pk>/comments/<int:said>/resolve":
                                      (NO_GET, "in in -> 403 -> 403 -> -> 403"),
    "changes/<int:pk>/comments/<int:said>/reopen":
                                      (NO_GET, "in in -> 403 -> 403 -> -> 403"),
    # One item: there is nothing to part it from.
    "changes/<int:pk>/split":         (NO_GET, "in in 403 403 422 403 422 422 403"),
    "changes/<int:pk>/undo":          (NO_GET, OPENS),
    "checks/<int:pk>":                (READ, "in in 403 403 403 403 403 -> 403"),
    "checks/<int:pk>/run":            (NO_GET, "in in 403 403 -> 403 -> -> 403"),
    "sources":                        (READ, NO_GET),
    "sources/<slug:key>":             (READ, NO_GET),
    "backfills":                      (READ, NO_GET),
    "backfills/<int:pk>":             (READ, NO_GET),
    r"^backfills/(?P<pk>[0-9]{1,18})/(?P<verb>pause|resume|retry|release|cancel)$":
                                      (NO_GET, "in in 403 -> 403 403 -> -> 403"),
    "sign-in":                        ("200 200 -> -> -> -> -> -> ->",
                                       "-> -> -> -> -> -> -> -> ->"),
    "sign-out":                       ("405 405 405 405 405 405 405 405 405",
                                       "in in in in in in in in in"),
    "profile":                        (READ, DONE),
    "profile/password":               (READ, DONE),
    "profile/sessions":               (READ, NO_GET),
    "profile/sessions/end":           (NO_GET, DONE),
    "profile/tokens":                 (READ, DONE),
    # Somebody else's: there is no such thing.
    "profile/tokens/<int:pk>/revoke": (NO_GET, "in in 404 -> 404 404 404 404 404"),
    "notices":                        (READ, NO_GET),
    "notices/read":                   (NO_GET, DONE),
    "notices/<int:pk>/open":          (NO_GET, "in in 404 -> 404 404 404 404 404"),
    "theme":                          ("405 405 405 405 405 405 405 405 405",
                                       "-> -> -> -> -> -> -> -> ->"),
    "more":                           (READ, NO_GET),
    "shortcuts":                      (READ, NO_GET),
    # The kit of parts is for those who build.
    "style":                          ("in in 404 404 404 200 200 200 200", NO_GET),
    "style/formula":                  (NO_GET, "in in 404 404 404 200 200 200 200"),
    "style/draft":                    (NO_GET, "in in 404 404 404 200 200 200 200"),
}

# Who is signed in and is not staff is told so there (see test_sign_in.py).
#             nobody left viewer owner author elsewhere steward admin boss
STAFF_ONLY  = "in    in   in     in    in     200       200     200   200"
NO_ONE      = "in    in   in     in    in     403       403     403   403"
MOVED       = "in    in   in     in    in     ->        ->      ->    ->"
MISSING     = "in    in   in     in    in     404       404     404   404"
NO_POST     = "in    in   in     in    in     405       405     405   405"
PEOPLE_ONLY = "in    in   in     in    in     403       403     200   200"
PEOPLE_DONE = "in    in   in     in    in     403       403     ->    ->"
POLICY_ONLY = "in    in   in     in    in     403       200     200   403"
POLICY_DONE = "in    in   in     in    in     403       ->      ->    403"

# The records of the admin, each with the pages of one row and of the list. Nothing governed is
# added, changed or removed in any of them.
KEPT = {
    "":                           (STAFF_ONLY, STAFF_ONLY),
    "add/":                       (NO_ONE, NO_ONE),
    "<path:object_id>/history/":  (STAFF_ONLY, STAFF_ONLY),
    "<path:object_id>/delete/":   (NO_ONE, NO_ONE),
    "<path:object_id>/change/":   (STAFF_ONLY, NO_ONE),
    "<path:object_id>/":          (MOVED, MOVED),
}
OLD_STATE = {r"^([^/]+)/history/([^/]+)/$": (STAFF_ONLY, STAFF_ONLY)}
ADMIN = {
    "core/auditevent":           KEPT,
    "accounts/user": {
        **KEPT,
        "":                           (PEOPLE_ONLY, PEOPLE_ONLY),
        "<path:object_id>/history/":  (PEOPLE_ONLY, PEOPLE_ONLY),
        "<id>/password/":             (PEOPLE_ONLY, PEOPLE_DONE),
        "add/":                       (PEOPLE_ONLY, PEOPLE_DONE),
        "<path:object_id>/change/":   (PEOPLE_ONLY, PEOPLE_DONE),
    },
    "accounts/domain": {
        **KEPT, **OLD_STATE,
        "add/":                       (PEOPLE_ONLY, PEOPLE_DONE),
        "<path:object_id>/change/":   (STAFF_ONLY, PEOPLE_DONE),
    },
    # Its history is on its page of the site.
    "catalog/metric":            {**KEPT, **OLD_STATE, "<path:object_id>/history/": (MOVED, MOVED)},
    "catalog/dataset":           {**KEPT, **OLD_STATE},
    "catalog/segment":           {**KEPT, **OLD_STATE},
    "catalog/version":           KEPT,
    "catalog/definition":        KEPT,
    "catalog/resolution":        KEPT,
    "measurement/source":        KEPT,
    "measurement/backfill":      {**KEPT, **OLD_STATE},
    "measurement/check":         {**KEPT, **OLD_STATE},
    "measurement/checkrun":      KEPT,
    "governance/changerequest": {
        **KEPT,
        "approve/":                   (MOVED, MOVED),
        "<path:object_id>/history/":  (MOVED, MOVED),
        "<path:object_id>/change/":   (STAFF_ONLY, "in in in in in 403 -> 403 403"),
    },
    "governance/revision":       KEPT,
    "governance/review":         KEPT,
    "governance/comment":        KEPT,
    "governance/approvalpolicy": {
        **KEPT, **OLD_STATE,
        "add/":                       (POLICY_ONLY, POLICY_DONE),
        "<path:object_id>/change/":   (STAFF_ONLY, POLICY_DONE),
    },
}
HOUSE = {
    "admin/":                         (STAFF_ONLY, STAFF_ONLY),
    "admin/search/":                  (STAFF_ONLY, STAFF_ONLY),
    "admin/login/":                   ("in in 403 403 403 403 403 403 403",
                                       "in in 403 403 403 403 403 403 403"),
    "admin/logout/":                  ("in in -> -> -> 405 405 405 405",
                                       "in in -> -> -> in  in  in  in"),
    "admin/password_change/":         (DONE, DONE),
    "admin/password_change/done/":    (STAFF_ONLY, NO_POST),
    "admin/autocomplete/":            (NO_ONE, NO_POST),
    "admin/jsi18n/":                  (STAFF_ONLY, NO_POST),
    "admin/r/<path:content_type_id>/<path:object_id>/": (MISSING, MISSING),
    r"admin/^(?P<app_label>core|accounts|catalog|measurement|governance)/$":
                                      (STAFF_ONLY, STAFF_ONLY),
    r"admin/(?P<url>.*)$":            (MISSING, MISSING),
}
# fmt: on
TABLE = {
    **PAGES,
    **HOUSE,
    **{f"admin/{model}/{end}": row for model, rows in ADMIN.items() for end, row in rows.items()},
}


class World(factories.Company):
    """The company with everybody of the table, and one row of everything that has an address."""

    def __init__(self):
        super().__init__()
        self.people = {
            "left": factories.make_user("left", everywhere=Role.STEWARD),
            "viewer": self.eve,
            "owner": factories.make_user("owner", sales=Role.VIEWER),
            "author": self.ana,
            "elsewhere": self.dia,
            "steward": self.cem,
            "admin": factories.make_user("admin", everywhere=Role.ADMIN),
            "boss": factories.make_user("boss"),
        }
        owner = self.people["owner"]
        metric = Metric.objects.get(key="net_sales")
        Ownership.objects.filter(entry=metric).delete()
        Ownership.objects.create(entry=metric, user=owner, role="owner")
        self.done = factories.published(
            factories.make_change("net_sales", words={"notes": "Second."}),
            author=self.ana,
            by=[self.cem],
        )
        metric.refresh_from_db()
        metric.served_resolution = metric.current_resolution
        metric.save()
        self.review = self.restating()
        self.said = comment(self.review, text="Why?", actor=self.eve)
        change = factories.make_change("net_sales", words={"notes": "A draft."})
        self.draft = open_request(content=factories.make_content(change), actor=self.ana)
        self.run = Backfill.objects.filter(purpose="publish").latest("pk")
        self.token, _ = create_token(owner, name="Tool", scopes=["read"], days=9, actor=owner)
        tell([owner], key="k", kind="change", text="Look.", url="/changes")
        self.notice = Notice.objects.get(recipient=owner, key="k")
        self.rows = self._one_of_each(metric)
        self.cookies = self._signed_in()
        self.site = BaseHandler()
        self.site.load_middleware()

    def _one_of_each(self, metric) -> dict:
        set_policy(
            change_class="meaning",
            tier=1,
            is_new=False,
            domain=self.sales,
            numbers=(1, 0, True),
            actor=None,
        )
        check = Check.objects.create(
            dataset=Dataset.objects.get(), kind="row_count", parameters={"band": 0.5}
        )
        found = [
            *(self.ben, self.sales, metric, check.dataset, self.run, check, self.review),
            Segment.objects.create(
                key="walk_ins",
                name="Walk-ins",
                kind="segment",
                domain=self.sales,
                created_at=clock.now(),
                changed_at=clock.now(),
            ),
            CheckRun.objects.create(
                check_rule=check, day=clock.today(), ran_at=clock.now(), outcome="passed"
            ),
            Comment.objects.get(),
            self.review.revision,
        ]
        rest = (AuditEvent, Version, Definition, Resolution, Source, Review, ApprovalPolicy)
        found += [model.objects.latest("pk") for model in rest]
        return {f"{row._meta.app_label}/{row._meta.model_name}": row for row in found}

    def _signed_in(self) -> dict[str, SimpleCookie]:
        """The browser of each person, with a session that began while `left` was still here."""
        cookies, secret = {"nobody": SimpleCookie()}, make_password(PASSWORD)
        for name, person in self.people.items():
            person.is_staff = name in STAFF
            person.is_superuser = name == "boss"
            person.password = secret
            person.save()
            client = Client()
            client.force_login(person)
            cookies[name] = client.cookies
        self.people["left"].is_active = False
        self.people["left"].save()
        return cookies

    def answer(self, person: str, method: str, address: str, data=None, *, csrf: bool = False):
        """What the site answers, without the copies of each context that a test client keeps."""
        factory = RequestFactory()
        factory.cookies = deepcopy(self.cookies[person])
        request = factory.generic(method, address, urlencode(data or {}, doseq=True), FORM)
        request._dont_enforce_csrf_checks = not csrf
        return self.site.get_response(request)


def everything(resolver=None, before: str = "") -> Iterator[str]:
    """Every address of the site but those of the API, as the resolver writes it."""
    for one in (resolver or get_resolver()).url_patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield path
        elif path != "api/v1/":
            yield from everything(one, path)


def test_the_table_holds_every_address():
    assert set(everything()) == set(TABLE)


def filled(route: str, world: World) -> str:
    """The address of a route, about the rows of this world."""
    if route.startswith("admin/"):
        return filled_admin(route, world)
    deed = route.rpartition("/")[2]
    about = {
        "changes": world.draft
        if deed in EDITOR
        else world.done
        if deed == "undo"
        else world.review,
        "backfills": world.run,
        "checks": world.rows["measurement/check"],
        "profile": world.token,
        "notices": world.notice,
    }.get(route.partition("/")[0])
    for part, value in {
        "^": "",
        "$": "",
        r"\.": ".",
        r"(?P<key>[a-z]\w*)": "net_sales",
        "(?P<number>[0-9]{1,9})": "1",
        "(?P<pk>[0-9]{1,18})": str(world.run.pk),
        "(?P<verb>pause|resume|retry|release|cancel)": "pause",
        "<slug:key>": "shop" if route.startswith("sources") else "net_sales",
        "<int:said>": str(world.said.pk),
        "<int:pk>": str(about.pk if about else ""),
    }.items():
        route = route.replace(part, value)
    return f"/{route}"


def filled_admin(route: str, world: World) -> str:
    model = "/".join(route.split("/")[1:3])
    row = world.rows.get(model)
    pk = row.pk if row else world.ana.pk
    history = getattr(row, "history", None)
    for part, value in {
        "admin/^": "admin/",
        "/^": "/",
        "$": "",
        "([^/]+)/history/([^/]+)": f"{pk}/history/{history.first().pk if history else 0}",
        "<path:content_type_id>/<path:object_id>": f"{0}/{pk}",
        "<path:object_id>": str(pk),
        "<id>": str(pk),
        "(?P<app_label>core|accounts|catalog|measurement|governance)": "core",
        "(?P<url>.*)": "nothing-here",
    }.items():
        route = route.replace(part, value)
    return f"/{route}"


def forms(world: World) -> dict[str, dict]:
    """What a form of each address sends when it is filled in well."""
    draft, revision = world.draft, world.review.revision
    item = {"item": "net_sales", "lock": draft.draft.lock, "name": "Net sales", "reason": "So."}
    decided = {"revision": revision.hash, "verdict": "approve"}
    new = {"password1": "another-measure-9", "password2": "another-measure-9"}
    no_grants = {"grants-TOTAL_FORMS": 0, "grants-INITIAL_FORMS": 0}
    policy = {"approvals": 1, "stewards": 0}
    return {
        "metrics/<slug:key>/follow": {"follow": "1"},
        "metrics/<slug:key>/back": {"number": "1"},
        "metrics/<slug:key>/compute": {
            "first": "2026-01-05", "last": "2026-01-06", "reason": "Late rows.",
        },
        "checks/<int:pk>": {"limit": "40", "is_blocking": "on", "reason": "So."},
        "changes/new": {"entry": "net_sales"},
        "changes/<int:pk>/draft": {**item, "notes": "Changed."},
        "changes/<int:pk>/formula": {**item, "formula": "avg(amount)"},
        "changes/<int:pk>/formula/check": {**item, "formula": "avg(amount)"},
        "changes/<int:pk>/submit": item,
        "changes/<int:pk>/items": {"entry": "orders"},
        "changes/<int:pk>/stewardship": {"item": "net_sales"},
        "changes/<int:pk>/review": decided,
        "changes/<int:pk>/publish": decided,
        "changes/<int:pk>/withdraw": {"comment": "No."},
        "changes/<int:pk>/reject": {"comment": "No."},
        "changes/<int:pk>/comment": {"comment": "So."},
        "changes/<int:pk>/split": {"key": "net_sales"},
        "sign-in": {"username": "eve", "password": PASSWORD},
        "profile": {"full_name": "Changed", "time_zone": "UTC"},
        "profile/password": {"current": PASSWORD, "new": "another-measure-9"},
        "profile/sessions/end": {"session": "others"},
        "profile/tokens": {"name": "A tool", "scopes": "read", "days": 9},
        "theme": {"theme": "dark"},
        "admin/accounts/user/add/": {"username": "new", **new, **no_grants},
        "admin/accounts/user/<id>/password/": new,
        "admin/accounts/user/<path:object_id>/change/": {
            "username": world.ben.username, "time_zone": "UTC", "is_active": "on",
            "full_name": "Changed", **no_grants,
        },
        "admin/accounts/domain/add/": {"key": "new", "name": "New"},
        "admin/accounts/domain/<path:object_id>/change/": {"name": "Changed"},
        "admin/governance/changerequest/<path:object_id>/change/": {
            "revision_hash": revision.hash, "revision": revision.number, "verdict": "approve",
        },
        "admin/governance/approvalpolicy/add/": {
            "change_class": "restating", "tier": 1, "domain": world.sales.pk, **policy,
        },
        "admin/governance/approvalpolicy/<path:object_id>/change/": policy,
    }  # fmt: skip


@contextmanager
def writes() -> Iterator[list[str]]:
    """What is written meanwhile, but for sessions."""
    found: list[str] = []

    def watch(execute, sql, *rest):
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and "accounts_session" not in sql:
            found.append(sql[:160])
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield found


def cell_of(answer) -> str:
    if answer.status_code not in (301, 302):
        return str(answer.status_code)
    return "in" if answer["Location"].startswith(("/sign-in", "/admin/login/")) else "->"


def ask(world: World, person: str, method: str, route: str, data=None) -> tuple[str, list[str]]:
    """What is answered, as a cell, and what was written; all of it is undone again."""
    with transaction.atomic(), writes() as written:
        cell = cell_of(world.answer(person, method, filled(route, world), data))
        transaction.set_rollback(True)
    return cell, written


@pytest.fixture
def world(db, settings, monkeypatch):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Most of the time of an admin page is its drawing, after everything was decided.
    monkeypatch.setattr(TemplateResponse, "rendered_content", "")
    logging.disable(logging.ERROR)
    yield World()
    logging.disable(logging.NOTSET)


@contextmanager
def undrawn() -> Iterator[None]:
    """Pages are decided and not drawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "render", lambda *_, **__: "")
        yield


@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_gets_what_the_table_says(world, person):
    """A GET and a refusal write nothing, whoever asks."""
    place, data, wrong = PEOPLE.index(person), forms(world), []
    for route, (seen, sent) in TABLE.items():
        for method, row in (("GET", seen), ("POST", sent)):
            expected = row.split()[place]
            is_drawn = person in DRAWN_FOR or route in DRAWN
            with nullcontext() if is_drawn else undrawn():
                cell, written = ask(world, person, method, route, data.get(route))
            may_write = method == "POST" and expected in ("->", "200") or route in SIGNING
            if cell != expected or (written and not may_write):
                wrong.append((method, route, f"{expected} expected, {cell} answered", written))
    assert not wrong


def test_no_form_is_taken_without_the_key_of_its_page(world):
    data = forms(world)
    for person in ("nobody", "steward"):
        for route, (_, sent) in TABLE.items():
            if sent.split()[PEOPLE.index("steward")] != "405" and not route.startswith("admin/r/"):
                with undrawn(), writes() as written:
                    answer = world.answer(
                        person, "POST", filled(route, world), data.get(route), csrf=True
                    )
                assert (answer.status_code, written) == (403, []), (person, route)


def test_pages_take_no_other_method(world):
    methods = cycle(("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X-OWN"))
    for route, method in zip(TABLE, methods, strict=False):
        with undrawn(), writes() as written:
            answer = world.answer("admin", method, filled(route, world))
        assert (answer.status_code, written) == (405, []), (method, route)
        assert "POST" in answer["Allow"]


def test_a_page_that_is_only_sent_to_says_so(world):
    answer = world.answer("viewer", "GET", "/changes/1/publish")

    assert answer["Allow"] == "POST"
    assert "It takes POST, and this was GET." in answer.content.decode()
