"""The fourth wall: what the database refuses to `etalon_app`, whatever the path.

Each test commits for real, since consent is judged when a transaction ends.
"""

import json
from datetime import timedelta

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

from accounts.models import RoleGrant
from catalog.choices import Lifecycle, OwnershipRole
from catalog.models import Definition, Entry, Metric, Ownership, Resolution, Version
from core import audit, clock
from core.models import AuditEvent
from governance.choices import Status
from governance.models import ApprovalPolicy, Change, ChangeRequest, Review, Revision
from tests.governance.rows import House


@pytest.fixture
def house(committed_db):
    return House()


@pytest.fixture
def published(house):
    """A house whose metric has one proper version, with an event about it."""
    with transaction.atomic():
        house.publish()
        audit.record("change.publish", house.metric, actor=house.ana)
    return house


def refused(match: str | None = None):
    # COPY speaks to the driver without Django in between.
    return pytest.raises((DatabaseError, psycopg.Error), match=match)


def sql(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_the_proper_path_is_open(published):
    metric = Metric.objects.get(key="net_sales")

    assert metric.current_version.number == 1
    assert ChangeRequest.objects.get().status == Status.PUBLISHED


# --- a version without consent ---------------------------------------------------------------


def test_a_version_by_itself_is_refused(house):
    with refused("needs a change request"):
        house.version()

    assert not Version.objects.exists()


WITHOUT_REQUEST = {
    "create": lambda house, row: Version.objects.create(**row),
    "save": lambda house, row: Version(**row).save(),
    "bulk_create": lambda house, row: Version.objects.bulk_create([Version(**row)]),
    "get_or_create": lambda house, row: Version.objects.get_or_create(
        entry=house.metric, number=1, defaults=row
    ),
    "update_or_create": lambda house, row: Version.objects.update_or_create(
        entry=house.metric, number=1, defaults=row
    ),
    "related manager": lambda house, row: house.metric.versions.create(**row),
    "upsert": lambda house, row: Version.objects.bulk_create(
        [Version(**row)],
        update_conflicts=True,
        unique_fields=["entry", "number"],
        update_fields=["words"],
    ),
}


@pytest.mark.parametrize("path", WITHOUT_REQUEST)
def test_no_path_of_the_orm_makes_a_version_without_a_request(house, path):
    row = {
        "entry": house.metric,
        "number": 1,
        "definition": house.define("a"),
        "words": {},
        "change_class": "additive",
        "effective_from": clock.today(),
        "published_at": clock.now(),
        "recorded_at": clock.now(),
        "published_by_label": "nobody",
    }

    with refused():
        WITHOUT_REQUEST[path](house, row)

    assert not Version.objects.exists()


def test_loaddata_brings_no_version_in(house, tmp_path):
    fixture = tmp_path / "version.json"
    row = {
        "entry": house.metric.pk,
        "number": 1,
        "definition": house.define("a").hash,
        "words": {},
        "change_class": "additive",
        "effective_from": "2026-01-01",
        "published_at": "2026-01-01T00:00:00Z",
        "recorded_at": "2026-01-01T00:00:00Z",
        "published_by_label": "nobody",
        "comparability": {},
    }
    fixture.write_text(json.dumps([{"model": "catalog.version", "pk": 1, "fields": row}]))

    with refused():
        call_command("loaddata", str(fixture), verbosity=0)

    assert not Version.objects.exists()


def test_copy_brings_no_version_in(house):
    line = "\t".join(
        [
            str(house.metric.pk),
            "1",
            house.define("a").hash,
            "{}",
            "additive",
            *("2026-01-01",) * 3,
            "nobody",
            "",
            "{}",
        ]
    )
    columns = (
        "entry_id, number, definition_id, words, change_class, effective_from, published_at, "
        "recorded_at, published_by_label, treatment, comparability"
    )

    statement = f"COPY catalog_version ({columns}) FROM STDIN"
    with (
        refused("needs a change request"),
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.write(f"{line}\n")

    assert not Version.objects.exists()


# --- a request that lacks something -----------------------------------------------------------


def _without_approval(house):
    return house.request()


def _approved_by_its_author(house):
    request = house.request()
    house.approve(request, house.ana)
    return request


def _approved_under_a_forged_author(house):
    request = house.request()
    Review.objects.create(
        request=request,
        revision=request.revision,
        revision_hash=request.revision.hash,
        reviewer=house.ana,
        author_id=house.ben.pk,
        verdict="approve",
        via="test",
        reviewed_at=clock.now(),
    )
    return request


def _approved_by_a_co_editor(house):
    request = house.request(editors=[house.ben.pk])
    house.approve(request, house.ben)
    return request


def _approved_on_an_older_revision(house):
    request = house.request()
    house.approve(request, house.ben)
    request.revision = house.revision(request, items=[house.item()], number=2)
    request.save()
    return request


def _approved_later_on_an_older_revision(house):
    request = house.request()
    older = request.revision
    request.revision = house.revision(request, items=[house.item()], number=2)
    request.save()
    house.approve(request, house.ben, revision=older)
    return request


def _approved_with_another_hash(house):
    request = house.request()
    review = house.approve(request, house.cem, verdict="comment")
    Review.objects.bulk_create(
        [
            Review(
                request=request,
                revision=request.revision,
                revision_hash="0" * 64,
                reviewer=house.ben,
                author_id=request.author_id,
                verdict="approve",
                via="test",
                reviewed_at=review.reviewed_at,
            )
        ]
    )
    return request


def _approved_by_somebody_without_a_role(house):
    RoleGrant.objects.filter(user=house.ben).delete()
    return _approved(house, house.ben)


def _approved_in_another_domain(house):
    RoleGrant.objects.filter(user=house.ben).update(domain=house.other_domain)
    return _approved(house, house.ben)


def _approved_by_somebody_who_left(house):
    request = _approved(house, house.ben)
    house.ben.is_active = False
    house.ben.save()
    return request


def _approved_then_objected(house):
    request = _approved(house, house.ben)
    house.approve(request, house.ben, verdict="request_changes")
    return request


def _approved(house, *people):
    request = house.request()
    for person in people:
        house.approve(request, person)
    return request


def _asked_for_fewer_than_the_policy(house):
    return house.request(needs=[house.need(approvals=0)])


def _asked_on_a_laxer_tier(house):
    return house.request(needs=[house.need(tier=3, is_new=False, approvals=0)])


def _asked_where_no_policy_is(house):
    return house.request(needs=[house.need(change_class="invented", approvals=0)])


def _asked_for_nothing(house):
    return house.request(needs=[])


def _asked_in_another_domain(house):
    ApprovalPolicy.objects.create(
        change_class="additive", tier=1, is_new=True, domain=house.other_domain, approvals=0
    )
    return house.request(needs=[house.need(domain=house.other_domain.pk, approvals=0)])


def _says_another_definition(house):
    request = house.request(items=[house.item(definition="b")])
    house.approve(request, house.ben)
    return request


def _says_other_words(house):
    request = house.request(items=[house.item(words={"name": "Gross sales"})])
    house.approve(request, house.ben)
    return request


LACKING = [
    _without_approval,
    _approved_by_its_author,
    _approved_under_a_forged_author,
    _approved_by_a_co_editor,
    _approved_on_an_older_revision,
    _approved_later_on_an_older_revision,
    _approved_with_another_hash,
    _approved_by_somebody_without_a_role,
    _approved_in_another_domain,
    _approved_by_somebody_who_left,
    _approved_then_objected,
    _asked_for_fewer_than_the_policy,
    _asked_on_a_laxer_tier,
    _asked_where_no_policy_is,
    _asked_for_nothing,
    _asked_in_another_domain,
    _says_another_definition,
    _says_other_words,
]


@pytest.mark.parametrize("lacking", LACKING, ids=lambda case: case.__name__.strip("_"))
def test_a_request_that_lacks_something_publishes_nothing(house, lacking):
    with refused(), transaction.atomic():
        request = lacking(house)
        house.write(request, house.version())

    assert not Version.objects.exists()
    assert not ChangeRequest.objects.filter(status=Status.PUBLISHED).exists()


def _approved_in_a_table_of_its_own(house):
    request = house.request()
    sql("CREATE TEMP TABLE governance_review AS TABLE public.governance_review")
    sql(
        "INSERT INTO governance_review (id, request_id, revision_id, revision_hash, reviewer_id,"
        " author_id, verdict) VALUES (1, %s, %s, %s, %s, %s, 'approve')",
        *(request.pk, request.revision_id, request.revision.hash, house.ben.pk, house.ana.pk),
    )
    return request


def _asked_by_a_policy_of_its_own(house):
    sql(
        "CREATE TEMP TABLE governance_approvalpolicy AS SELECT id, change_class, tier, is_new,"
        " domain_id, 0 AS approvals, 0 AS stewards, owner_counts_as_steward"
        " FROM public.governance_approvalpolicy"
    )
    return house.request(needs=[house.need(approvals=0)])


def _in_a_schema_that_comes_first(house):
    request = _approved_in_a_table_of_its_own(house)
    sql("SET LOCAL search_path = pg_temp, public")
    return request


SHADOWS = [
    _approved_in_a_table_of_its_own,
    _asked_by_a_policy_of_its_own,
    _in_a_schema_that_comes_first,
]


@pytest.mark.parametrize("shadow", SHADOWS, ids=lambda case: case.__name__.strip("_"))
def test_a_temporary_table_stands_in_for_no_real_one(house, shadow):
    """The guards look in the schema of the product, where `etalon_app` can make nothing."""
    with refused("approvals"), transaction.atomic():
        house.write(shadow(house), house.version())

    assert not Version.objects.exists()


def test_no_guard_looks_where_its_caller_says():
    found = """
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype
          AND NOT coalesce(proconfig, '{}') @> ARRAY['search_path=pg_catalog, public, pg_temp']
    """
    with connection.cursor() as cursor:
        cursor.execute(found)
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM pg_proc WHERE prorettype = 'trigger'::regtype")
        assert cursor.fetchone()[0] > 10


def test_two_approvals_of_one_person_are_one(published):
    needs = [published.need(change_class="restating", is_new=False, approvals=2, stewards=1)]
    with refused("1 of 2 approvals"), transaction.atomic():
        request = published.request(items=[published.item(definition="b")], needs=needs)
        published.approve(request, published.cem)
        published.approve(request, published.cem)
        published.write(
            request,
            published.version(
                number=2, definition="b", change_class="restating", treatment="restate"
            ),
        )

    assert Version.objects.count() == 1


def test_a_steward_is_asked_where_policy_says_so(published):
    needs = {"change_class": "restating", "approvals": 2, "stewards": 1}
    dia = type(published.ben).objects.create_user("dia")
    RoleGrant.objects.create(user=dia, role="reviewer", domain=published.domain)

    with refused("0 of 1 by stewards"), transaction.atomic():
        published.publish(published.ben, dia, definition="b", number=2, **needs)
    with transaction.atomic():
        published.publish(published.ben, published.cem, definition="b", number=2, **needs)

    assert Version.objects.count() == 2


def test_an_owner_stands_in_for_a_steward_only_where_policy_says_so(published):
    Ownership.objects.create(entry=published.metric, user=published.ben, role=OwnershipRole.OWNER)
    RoleGrant.objects.filter(user=published.ben).delete()
    ask = {"is_new": False, "approvals": 1}

    with refused("0 of 1 approvals"), transaction.atomic():
        published.publish(published.ben, definition="b", number=2, **ask)
    ApprovalPolicy.objects.filter(change_class="additive", tier=1, is_new=False).update(
        owner_counts_as_steward=True
    )
    with transaction.atomic():
        published.publish(published.ben, definition="b", number=2, owner_counts=True, **ask)

    assert Version.objects.count() == 2


# --- a class or a number that is not true ------------------------------------------------------


def test_an_editorial_version_has_the_definition_of_the_one_before(published):
    need = {"change_class": "editorial", "is_new": False, "approvals": 0}
    with refused("more than editorial"), transaction.atomic():
        published.publish(definition="b", number=2, **need)
    with transaction.atomic():
        published.publish(definition="a", number=2, **need)

    assert Version.objects.count() == 2


def test_an_editorial_version_changes_no_word_that_readers_act_on(published):
    needs = [published.need(change_class="editorial", is_new=False, approvals=0)]
    words = {"name": "Gross sales"}
    with refused("more than editorial"), transaction.atomic():
        request = published.request(items=[published.item(words=words)], needs=needs)
        published.write(request, published.version(number=2, words=words, change_class="editorial"))

    assert Version.objects.count() == 1


def test_a_class_other_than_the_one_that_was_decided_is_refused(published):
    needs = [published.need(change_class="editorial", is_new=False, approvals=0)]
    with refused("covered by no approval policy"), transaction.atomic():
        request = published.request(items=[published.item(definition="b")], needs=needs)
        published.write(request, published.version(number=2, definition="b"))

    assert Version.objects.count() == 1


def test_what_exists_is_not_decided_as_if_it_were_new(published):
    with refused("as if it were new"), transaction.atomic():
        published.publish(number=2, definition="b", is_new=True)

    assert Version.objects.count() == 1


@pytest.mark.parametrize("number", [1, 3, 0])
def test_versions_are_numbered_without_a_gap(published, number):
    with refused(), transaction.atomic():
        published.publish(number=number, definition="b", is_new=False)

    assert Version.objects.count() == 1


def test_the_card_shows_the_newest_version_only(published):
    with transaction.atomic():
        published.publish(number=2, definition="b", is_new=False)
    first = Version.objects.get(number=1)

    with refused("must be its newest"), transaction.atomic():
        Metric.objects.filter(key="net_sales").update(current_version=first)


# --- consent that was given cannot be lent ------------------------------------------------------


def test_a_second_version_cannot_hang_on_a_published_request(published):
    other = published.make_metric("baskets")
    request = ChangeRequest.objects.get()

    with refused(), transaction.atomic():
        Change.objects.create(
            request=request,
            key="baskets",
            kind="metric",
            entry=other,
            version=published.version(other),
        )

    assert Version.objects.count() == 1


def test_a_published_request_is_never_changed(published):
    request = ChangeRequest.objects.get()

    for statement in (
        lambda: ChangeRequest.objects.update(title="Other"),
        lambda: ChangeRequest.objects.update(status=Status.IN_REVIEW),
        lambda: request.changes.update(version=None),
        lambda: request.changes.all().delete(),
        lambda: request.delete(),
    ):
        with pytest.raises((DatabaseError, models.ProtectedError)):
            statement()


def test_a_request_does_not_stay_publishing(house):
    request = house.request()

    with refused("ends in the transaction"), transaction.atomic():
        request.status = Status.PUBLISHING
        request.save()


@pytest.mark.parametrize("status", [Status.DRAFT, Status.CHANGES_REQUESTED, Status.REJECTED])
def test_nobody_approves_what_is_not_in_review(house, status):
    request = house.request()
    request.status = status
    request.save()

    with refused("in review"):
        house.approve(request, house.ben)

    assert not Review.objects.exists()


# --- rows that are never rewritten ---------------------------------------------------------------

IMMUTABLE = {
    Version: ("catalog_version", "words", "'{}'"),
    Definition: ("catalog_definition", "spec", "'{}'"),
    Revision: ("governance_revision", "content", "'{}'"),
    Review: ("governance_review", "verdict", "'comment'"),
    AuditEvent: ("core_auditevent", "reason", "'other'"),
    Resolution: ("catalog_resolution", "pins", "'[]'"),
}


def _resolve(house, **other) -> Resolution:
    version = Version.objects.get()
    pin = {"key": "net_sales", "number": 1, "definition": version.definition_id}
    return Resolution.objects.create(
        **{
            "metric": house.metric,
            "version": version,
            "number": 1,
            "hash": "f" * 64,
            "pins": [pin],
            "created_at": clock.now(),
            **other,
        }
    )


def _save(row, column, value):
    setattr(row, column, "x" if column == "reason" else {})
    row.save()


def _bulk_update(row, column, value):
    setattr(row, column, "x" if column == "reason" else {})
    type(row).objects.bulk_update([row], [column])


def _copy_over(row):
    """Let COPY bring a row in a second time."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} TO STDOUT") as copy:
            lines = list(copy)
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for line in lines:
                copy.write(line)


REWRITING = {
    "save": _save,
    "bulk_update": _bulk_update,
    "queryset update": lambda row, column, value: type(row).objects.update(**{column: "x"}),
    "delete": lambda row, column, value: row.delete(),
    "queryset delete": lambda row, column, value: type(row).objects.all().delete(),
    "raw delete": lambda row, column, value: type(row).objects.all()._raw_delete("default"),
    "raw update": lambda row, column, value: sql(
        f"UPDATE {row._meta.db_table} SET {column} = {value}"  # noqa: S608 - names of ours
    ),
    "truncate": lambda row, column, value: sql(f"TRUNCATE {row._meta.db_table} CASCADE"),
    "upsert": lambda row, column, value: sql(
        f"INSERT INTO {row._meta.db_table} SELECT * FROM {row._meta.db_table} "  # noqa: S608
        f"ON CONFLICT ({row._meta.pk.column}) DO UPDATE SET {column} = {value}"
    ),
    "merge": lambda row, column, value: sql(
        f"MERGE INTO {row._meta.db_table} t USING (SELECT 1) s ON true "
        f"WHEN MATCHED THEN UPDATE SET {column} = {value}"
    ),
    "disabled trigger": lambda row, column, value: sql(
        f"ALTER TABLE {row._meta.db_table} DISABLE TRIGGER ALL"
    ),
    "dropped trigger": lambda row, column, value: sql(
        f"DROP TRIGGER {row._meta.db_table}_never_changed ON {row._meta.db_table}"
    ),
    "replica role": lambda row, column, value: sql("SET session_replication_role = replica"),
    "owner's role": lambda row, column, value: sql("SET ROLE etalon_owner"),
    "owner's session": lambda row, column, value: sql("SET SESSION AUTHORIZATION etalon_owner"),
    "granted right": lambda row, column, value: (
        sql(f"GRANT UPDATE ON {row._meta.db_table} TO etalon_app"),
        sql(f"UPDATE {row._meta.db_table} SET {column} = {value}"),  # noqa: S608
    ),
    "query that deletes": lambda row, column, value: sql(
        f"WITH gone AS (DELETE FROM {row._meta.db_table} RETURNING 1) SELECT * FROM gone"  # noqa: S608
    ),
    "view": lambda row, column, value: (
        sql(f"CREATE TEMP VIEW over AS TABLE {row._meta.db_table}"),
        sql(f"UPDATE over SET {column} = {value}"),  # noqa: S608
    ),
    "copy": lambda row, column, value: _copy_over(row),
    "rule": lambda row, column, value: sql(
        f"CREATE RULE other AS ON INSERT TO {row._meta.db_table} DO INSTEAD NOTHING"
    ),
    "replaced guard": lambda row, column, value: sql(
        "CREATE OR REPLACE FUNCTION public.core_refuse_rewriting() RETURNS trigger "
        "LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    ),
    "dropped table": lambda row, column, value: sql(f"DROP TABLE {row._meta.db_table} CASCADE"),
}


@pytest.mark.parametrize("path", REWRITING)
@pytest.mark.parametrize("model", IMMUTABLE, ids=lambda model: model.__name__)
def test_what_was_decided_is_never_rewritten(published, model, path):
    if model is Resolution:
        _resolve(published)
    row = model.objects.first()
    before = list(model.objects.values())
    _, column, value = IMMUTABLE[model]

    # COPY speaks to the driver without Django in between.
    refusals = (DatabaseError, psycopg.Error, models.ProtectedError)
    with pytest.raises(refusals), transaction.atomic():
        REWRITING[path](row, column, value)

    assert list(model.objects.values()) == before


def test_deleting_a_metric_does_not_take_its_versions_along(published):
    with pytest.raises((DatabaseError, models.ProtectedError)):
        published.metric.delete()
    with refused():
        sql("DELETE FROM catalog_entry")
    with refused():
        sql("TRUNCATE catalog_entry CASCADE")

    assert Version.objects.count() == 1


# --- resolutions ------------------------------------------------------------------------------


def test_a_resolution_pins_what_is_in_force(published):
    _resolve(published)

    for pins in (
        [],
        [{"key": "net_sales", "number": 1, "definition": "0" * 64}],
        [{"key": "net_sales", "number": 2, "definition": published.define("a").hash}],
    ):
        with refused():
            _resolve(published, number=2, pins=pins)

    assert Resolution.objects.count() == 1


# --- the guards are asked early, and what they saw is put away again ----------------------------


def _ends(house, request, version) -> None:
    """Link and close, as publishing does, and let consent be judged at once. Cards show nothing."""
    request.status = Status.PUBLISHING
    request.save()
    request.changes.update(version=version)
    request.status, request.closed_at = Status.PUBLISHED, clock.now()
    request.save()
    sql("SET CONSTRAINTS governance_request_consent, governance_version_consent IMMEDIATE")


def test_a_card_is_not_lowered_for_the_length_of_a_publish(published):
    """Tier 3 asks nobody; the card is back on tier 1 when its own guard looks."""
    with refused("move by a change request"), transaction.atomic():
        Entry.objects.update(tier=3, lifecycle=Lifecycle.PROPOSED, current_version=None)
        request = published.request(
            items=[published.item(definition="b")],
            needs=[published.need(tier=3, is_new=False, approvals=0)],
        )
        version = published.version(number=2, definition="b")
        _ends(published, request, version)
        sql(
            "UPDATE catalog_entry SET tier = 1, lifecycle = 'active', current_version_id = %s",
            version.pk,
        )

    assert Version.objects.count() == 1
    assert Entry.objects.get().tier == 1


@pytest.mark.parametrize("way", ["update", "delete"])
def test_a_new_card_is_of_the_tier_that_its_first_version_was_decided_on(house, way):
    ApprovalPolicy.objects.create(change_class="additive", tier=9, is_new=True, approvals=0)
    with refused(), transaction.atomic():
        Entry.objects.update(tier=9)
        request = house.request(needs=[house.need(tier=9, approvals=0)])
        version = house.version()
        _ends(house, request, version)
        if way == "update":
            sql("UPDATE catalog_entry SET tier = 1")
        else:
            sql("CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE catalog_entry")
            sql("DELETE FROM catalog_entry")
            sql("UPDATE kept SET tier = 1")
            sql("INSERT INTO catalog_entry TABLE kept")
        sql("UPDATE catalog_entry SET lifecycle = 'active', current_version_id = %s", version.pk)

    assert not Version.objects.exists()


def _other_key(house, other):
    sql("UPDATE catalog_entry SET key = 'once' WHERE id = %s", house.metric.pk)
    sql("UPDATE catalog_entry SET key = 'net_sales' WHERE id = %s", other.pk)


def _other_number(house, other):
    mine, shown = house.metric.pk, Version.objects.get().pk
    sql("UPDATE catalog_entry SET lifecycle = 'proposed', current_version_id = NULL")
    sql("UPDATE catalog_entry SET id = -id")
    swapped = "UPDATE catalog_entry SET id = CASE WHEN id = %s THEN %s ELSE %s END"
    sql(swapped, -mine, other.pk, mine)
    sql(
        "UPDATE catalog_entry SET lifecycle = 'active', current_version_id = %s WHERE id = %s",
        shown,
        mine,
    )


def _another_in_its_place(house, other):
    sql("CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE catalog_entry")
    sql("DELETE FROM catalog_entry WHERE id = %s", house.metric.pk)
    sql("UPDATE kept SET tier = 9, lifecycle = 'retired'")
    sql("INSERT INTO catalog_entry SELECT * FROM kept WHERE id = %s", house.metric.pk)


@pytest.mark.parametrize(
    "swap",
    [_other_key, _other_number, _another_in_its_place],
    ids=lambda case: case.__name__.strip("_"),
)
def test_a_name_is_given_to_nothing_else(published, swap):
    """References are checked when a transaction ends, so that a row could come back as another."""
    other = published.make_metric("margin")
    before = list(Entry.objects.order_by("id").values())

    with refused(), transaction.atomic():
        swap(published, other)

    assert list(Entry.objects.order_by("id").values()) == before


def test_a_card_that_never_showed_anything_may_go(house):
    house.make_metric("margin").delete()

    assert [entry.key for entry in Entry.objects.all()] == ["net_sales"]


# --- tier, domain and lifecycle decide who is asked next time -----------------------------------


@pytest.mark.parametrize(
    "column",
    [{"tier": 3}, {"tier": 9}, {"lifecycle": Lifecycle.RETIRED}, {"lifecycle": "deprecated"}],
)
def test_a_card_moves_by_a_change_request(published, column):
    with refused("by a change request"):
        Entry.objects.filter(key="net_sales").update(**column)
    with refused("by a change request"):
        Metric.objects.filter(key="net_sales").update(**column)
    with refused("by a change request"):
        Metric.objects.filter(key="net_sales").update(domain=published.other_domain)


def test_a_published_change_of_tier_moves_the_card(published):
    stewardship = {"tier": 3, "domain": "sales"}
    needs = [published.need(change_class="stewardship", is_new=False, stewards=1)]

    with transaction.atomic():
        request = published.request(items=[published.item(stewardship=stewardship)], needs=needs)
        published.approve(request, published.cem)
        published.write(request)
        Metric.objects.filter(key="net_sales").update(tier=3)

    assert Metric.objects.get(key="net_sales").tier == 3
    with refused("by a change request"):
        Metric.objects.filter(key="net_sales").update(tier=2)


@pytest.mark.parametrize(
    ("said", "moved"),
    [
        ({"stewardship": {"tier": 3, "domain": "sales"}}, {"tier": 3}),
        ({"lifecycle": "retired"}, {"lifecycle": Lifecycle.RETIRED}),
    ],
)
def test_a_card_does_not_move_as_if_it_were_a_typo(published, said, moved):
    """Policy asks nobody for an editorial change, and a steward for these."""
    needs = [published.need(change_class="editorial", is_new=False, approvals=0)]

    with refused("by a change request"), transaction.atomic():
        published.write(published.request(items=[published.item(**said)], needs=needs))
        Metric.objects.filter(key="net_sales").update(**moved)


def test_an_older_consent_to_a_tier_does_not_count_again(published):
    for tier in (3, 1):
        needs = [published.need(change_class="stewardship", is_new=False, stewards=1)]
        with transaction.atomic():
            request = published.request(
                items=[published.item(stewardship={"tier": tier, "domain": "sales"})],
                needs=needs,
            )
            published.approve(request, published.cem)
            request.created_at = clock.now() + timedelta(seconds=1)
            published.write(request)
            Metric.objects.filter(key="net_sales").update(tier=tier)

    with refused("by a change request"):
        Metric.objects.filter(key="net_sales").update(tier=3)
