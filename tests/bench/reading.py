"""What people and programs wait for: pages and answers over HTTP, from a running web server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import requests
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client

from accounts.choices import Scope
from accounts.models import User
from accounts.services import create_token
from tests import database
from tests.bench import shop
from tests.bench.computing import through
from tests.bench.figures import Figure, by_turns, median, p95
from tests.bench.ground import LARGE, SHOP, SMALL, addresses, work_on
from tests.rig import Rig

DIMENSION = "product__department"
TIMES = 40
# What a page may take at the 95th percentile against the same page of a catalog of 20.
GROWTH = 3.0

_SELECT = """
SELECT row.period, slice.member, row.value
FROM measurement_series series
JOIN measurement_observation row ON row.series_id = series.id AND row.known_until IS NULL
JOIN measurement_slice slice ON slice.id = row.slice_id
WHERE series.resolution_hash = %s AND series.grain = 'day' AND series.dimension = %s
  AND row.period >= %s AND row.period < %s
ORDER BY row.period, slice.member
"""


class Visitor:
    """Ana, signed in and with a token, at the web server of one database."""

    def __init__(self, rig: Rig, name: str):
        work_on(name)
        ana = User.objects.get(username="ana")
        _, secret = create_token(ana, name="bench", scopes=list(Scope.values), days=30, actor=ana)
        browser = Client()
        browser.force_login(ana)
        assert SESSION_KEY in browser.session
        self.base_url = rig.base_url
        self.session = requests.Session()
        cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
        self.session.cookies.set(settings.SESSION_COOKIE_NAME, cookie.value)
        self.program = requests.Session()
        self.program.headers["Authorization"] = f"Bearer {secret}"

    def page(self, path: str) -> Callable[[], requests.Response]:
        return lambda: _answered(self.session.get(self.base_url + path, allow_redirects=False))

    def api(self, path: str) -> Callable[[], requests.Response]:
        return lambda: _answered(self.program.get(f"{self.base_url}/api/v1/{path}"))


def _answered(response: requests.Response) -> requests.Response:
    if response.status_code != 200:
        raise RuntimeError(f"{response.url} answered {response.status_code}.")
    return response


def values() -> Iterator[Figure]:
    """A metric's stored values over HTTP against the SELECT alone, in one connection each."""
    work_on(SHOP)
    # Other measures have removed the values.
    through("net_sales", "day", DIMENSION)
    metric = shop.metric("net_sales")
    days = (shop.START, shop.until())
    with Rig() as rig, psycopg.connect(database.superuser_url(SHOP), autocommit=True) as bare:
        rig.env.update(addresses(SHOP))
        rig.start("web", processes=1)
        ana = Visitor(rig, SHOP)
        span = f"from={days[0]}&to={days[1]}"
        for name, dimension, more in (
            ("Values of a year by day over HTTP", "", ""),
            (
                "Values of a year by day and department over HTTP",
                DIMENSION,
                f"group_by={DIMENSION}",
            ),
        ):
            asked = (metric.served_resolution.hash, dimension, *days)
            over_http = ana.api(f"metrics/net_sales/values?grain=day&{span}&{more}")
            alone = partial(_rows, bare, asked)
            if not len(alone()) == len(over_http().json()["points"]) > 0:
                raise RuntimeError("The two do not read the same values.")
            ours, base = by_turns(over_http, alone, times=TIMES // 2)
            yield Figure(name, median(ours), median(base), "the SELECT alone")


def _rows(connection: psycopg.Connection, asked: tuple) -> list[tuple]:
    return connection.execute(_SELECT, asked).fetchall()


def catalog(small_key: str, large_key: str) -> Iterator[Figure]:
    """The same pages of a catalog of 10,000 metrics and of one of 20, by turns, p95."""
    with Rig() as many, Rig() as few:
        many.env.update(addresses(LARGE))
        few.env.update(addresses(SMALL))
        many.start("web", processes=1)
        few.start("web", processes=1)
        large, small = Visitor(many, LARGE), Visitor(few, SMALL)
        for name, of_large, of_small in (
            ("Catalog", large.page("/metrics"), small.page("/metrics")),
            ("Search", *(one.page("/metrics?q=revenue+bergen") for one in (large, small))),
            (
                "Metric page",
                large.page(f"/metrics/{large_key}"),
                small.page(f"/metrics/{small_key}"),
            ),
            ("List over HTTP", large.api("metrics"), small.api("metrics")),
            ("Search over HTTP", *(one.api("metrics?q=revenue+bergen") for one in (large, small))),
        ):
            ours, base = by_turns(of_large, of_small, times=TIMES)
            yield Figure(
                f"{name} among 10,000 metrics, p95",
                p95(ours),
                p95(base),
                "among 20, p95",
                limit=GROWTH,
            )


def settle_down() -> None:
    """Let a server that was just filled write down what it owes, before it is measured."""
    for name in (LARGE, SMALL, SHOP):
        with psycopg.connect(database.superuser_url(name), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
    time.sleep(1)
