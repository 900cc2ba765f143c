"""A catalog of ten thousand metrics: what pages, search and suggestions do does not grow with it.

How long the database takes to count facets of so many is among the figures of `make bench`.
"""

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.models.signals import post_init
from django.test import Client

from catalog.models import Entry
from catalog.selectors.search import suggestions
from tests import factories
from tests.counting import calls
from tests.database import superuser_url

# The fewer fill a page of whatever is asked for, and are more than are ever ranked.
FEW, MANY = 3_000, 10_000
MOST_QUERIES = 25
# So much more of rows and of functions may the large catalog cost.
MOST_MORE = 1.2
# Written as the services would leave them, by a role whom no trigger asks for an approval.
_STATEMENTS = """
SET session_replication_role = replica;
INSERT INTO catalog_version (entry_id, number, definition_id, words, change_class, effective_from,
    published_at, recorded_at, published_by_label, treatment, comparability)
SELECT 100000 + n, 1, v.definition_id,
    v.words || jsonb_build_object('name', numbered.name), 'additive', v.effective_from,
    v.published_at, v.recorded_at, v.published_by_label, '', '{}'
FROM numbered, catalog_version v JOIN catalog_entry e ON e.id = v.entry_id
WHERE e.key = 'net_sales';
INSERT INTO catalog_entry (id, key, kind, name, description, domain_id, tier, lifecycle, tags,
    synonyms, current_version_id, revision, created_at, changed_at, search)
SELECT 100000 + n, 'made_' || n, 'metric', numbered.name, 'A number of the shop, made for a test.',
    (SELECT id FROM accounts_domain ORDER BY id OFFSET n % 2 LIMIT 1), 2 + n % 2, 'active',
    jsonb_build_array('tag_' || n % 40), jsonb_build_array('Alias ' || n), v.id, 1,
    now() - n * interval '10 minutes', now() - n * interval '10 minutes',
    setweight(to_tsvector('english', numbered.name), 'A')
        || setweight(to_tsvector('english', 'shop'), 'C')
FROM numbered JOIN catalog_version v ON v.entry_id = 100000 + n;
INSERT INTO catalog_metric (entry_ptr_id, role, is_kpi, timing, category, stage, direction)
SELECT 100000 + n, (ARRAY['input', 'diagnostic', 'key_result', ''])[1 + n % 4], n % 10 = 0,
    (ARRAY['leading', 'lagging', ''])[1 + n % 3], (ARRAY['customer', 'financial'])[1 + n % 2],
    (ARRAY['retention', 'revenue', ''])[1 + n % 3], 'up'
FROM numbered;
INSERT INTO catalog_ownership (entry_id, user_id, role)
SELECT 100000 + n, (SELECT id FROM accounts_user WHERE username = 'ana'), 'owner' FROM numbered;
ANALYZE;
"""
_NUMBERED = """
CREATE TEMPORARY TABLE numbered AS
SELECT n, (ARRAY['Orders', 'Refunds', 'Visits', 'Baskets', 'Margin'])[1 + n % 5] || ' of group '
    || n AS name
FROM generate_series({first}, {last}) n;
"""


@pytest.fixture
def company(committed_db):
    return factories.Company()


def fill(first: int, last: int) -> None:
    """Add the metrics of these numbers."""
    url = superuser_url(settings.DATABASES["default"]["NAME"])
    statements = _NUMBERED.format(first=first, last=last) + _STATEMENTS
    with psycopg.connect(url, autocommit=True) as database:
        for statement in statements.split(";\n"):
            if statement.strip():
                database.execute(statement)


def cost(ask) -> tuple[int, int, int]:
    """Queries of a page, the rows that they bring, and the functions that it runs."""
    assert ask().status_code == 200
    brought = []

    def count(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        brought.append((context["cursor"].rowcount, sql[:200]))
        return answer

    with connection.execute_wrapper(count):
        ask()
    assert len(brought) <= MOST_QUERIES, brought
    return len(brought), sum(rows for rows, _ in brought), calls(ask)


def test_ten_thousand_metrics_cost_what_a_few_do(company):
    web = Client()
    web.force_login(company.ben)  # Ana owns them all.
    asked = {
        "list": lambda: web.get("/metrics"),
        "facets": lambda: web.get("/metrics?domain=sales&tier=2&tier=3&role=input&tag=tag_1"),
        "by change": lambda: web.get("/metrics?sort=changed&owner=ana"),
        "search": lambda: web.get("/metrics?q=orders+group"),
        "misspelt": lambda: web.get("/metrics?q=ordesr+gruop"),
        "suggestions": lambda: web.get("/suggestions?q=refun"),
        "api list": lambda: web.get("/api/v1/metrics?facets=true"),
        "api search": lambda: web.get("/api/v1/metrics?q=margin&facets=true&timing=leading"),
    }
    fill(1, FEW)
    few = {name: cost(ask) for name, ask in asked.items()}

    fill(FEW + 1, MANY)

    assert Entry.objects.count() == MANY + 2
    many = {name: cost(ask) for name, ask in asked.items()}
    assert [each[0] for each in many.values()] == [each[0] for each in few.values()]
    rows, work = (
        {name: many[name][place] / few[name][place] for name in asked} for place in (1, 2)
    )
    # What a misspelt word may mean is looked for among all words that names have.
    del rows["misspelt"]
    assert max(rows.values()) < MOST_MORE, rows
    assert max(work.values()) < MOST_MORE, work


def test_suggestions_read_no_more_entries_than_they_show(company):
    fill(1, FEW)
    read = []

    def count(instance, **_):
        read.append(instance)

    post_init.connect(count, sender=Entry)
    shown, _ = suggestions("refun")
    post_init.disconnect(count, sender=Entry)

    assert read == shown
    assert len(shown) == 6
