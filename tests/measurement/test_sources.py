"""Keeping and trying sources."""

import pytest
from django.core.management import CommandError, call_command

from accounts.choices import Role
from accounts.models import User
from accounts.services import grant_role
from core.errors import Invalid, NotAllowed
from core.models import AuditEvent
from measurement.models import Source
from measurement.services.sources import save_source, try_source
from measurement.warehouses import close_sources
from tests.measurement import company


@pytest.fixture
def admin(shop):
    person = User.objects.create_user("cem")
    grant_role(person, role=Role.ADMIN, domain=None, actor=None)
    return person


def test_a_good_source_is_told_as_good(shop, capsys):
    findings = try_source(Source.objects.get())

    assert [finding.is_good for finding in findings] == [True, True, True]
    assert findings[-1].message == "`shop.orders` has all 5 declared columns."
    call_command("try_sources")
    assert "ok  shop: It refuses statements that write." in capsys.readouterr().out


def test_what_is_missing_is_named(shop, folder, capsys):
    company.write(folder, company.orders(3), without="store")
    close_sources()

    assert "has no `store`" in try_source(Source.objects.get())[-1].message
    with pytest.raises(CommandError, match="1 of these need mending"):
        call_command("try_sources", "shop")
    (folder / "orders.parquet").unlink()
    assert "cannot offer `orders`" in try_source(Source.objects.get())[0].message
    with pytest.raises(CommandError, match="no source nowhere"):
        call_command("try_sources", "nowhere")


def test_sources_are_changed_by_admins_and_on_record(shop, admin):
    source = Source.objects.get()
    source.time_limit_seconds = 7
    with pytest.raises(NotAllowed):
        save_source(source, actor=shop.author)

    save_source(source, actor=admin, via="admin")

    assert Source.objects.get().time_limit_seconds == 7
    assert AuditEvent.objects.first().action == "source.change"
    assert source.history.first().history_user == admin


@pytest.mark.parametrize(
    ("kind", "config", "place"),
    [
        ("duckdb", {"folder": "/x"}, "config.views"),
        ("duckdb", {"views": {"a": "SELECT 1"}}, "config.folder"),
        ("postgresql", {}, "config.url_env"),
        ("postgresql", {"url_env": "X", "password": "hunter2"}, "config.password"),
        ("postgresql", {"url_env": "DATABASE_OWNER_URL"}, "config.url_env"),
        ("postgresql", {"url_env": "postgresql://me:secret@host/db"}, "config.url_env"),
    ],
)
def test_a_source_that_cannot_work_or_holds_a_secret_is_refused(admin, kind, config, place):
    source = Source(key="new", name="New", kind=kind, config=config, first_day=company.FIRST)
    with pytest.raises(Invalid) as refused:
        save_source(source, actor=admin)
    assert refused.value.details["problems"][0]["place"] == place
    assert not Source.objects.filter(key="new").exists()


DESCRIBED = """
key: tills
name: Tills
kind: duckdb
first_day: 2026-01-01
config:
  folder: {folder}
  schema: shop
  views:
    orders: SELECT * FROM read_parquet('{{folder}}/orders.parquet')
"""


def test_a_source_is_connected_by_a_file_and_changed_by_it(shop, folder, tmp_path, capsys):
    company.write(folder, company.orders(3))
    file = tmp_path / "tills.yaml"
    file.write_text(DESCRIBED.format(folder=folder))

    call_command("connect_source", str(file))
    assert "Tills (tills) is connected." in capsys.readouterr().out
    assert try_source(Source.objects.get(key="tills"))[0].message == "It answers."

    file.write_text(file.read_text().replace("name: Tills", "name: All tills"))
    call_command("connect_source", str(file))
    assert "All tills (tills) was changed." in capsys.readouterr().out
    assert list(
        AuditEvent.objects.filter(action__startswith="source.")
        .order_by("sequence")
        .values_list("action", "via")
    ) == [("source.create", "cli"), ("source.change", "cli")]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("key: tills\n", "", "`key` is missing"),
        ("kind: duckdb", "kind: oracle", "There is no kind “oracle”"),
        ("first_day: 2026-01-01", "first_day: soon", "`first_day` is a day"),
        ("name: Tills", "nmae: Tills", "no field “nmae”"),
        ("  schema: shop", "  password: secret", "looks like a secret"),
        ("key: tills", "key: [", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_why(shop, tmp_path, before, after, said):
    file = tmp_path / "tills.yaml"
    file.write_text(DESCRIBED.format(folder=tmp_path).replace(before, after))

    with pytest.raises(CommandError, match=said):
        call_command("connect_source", str(file))
    assert not Source.objects.filter(key="tills").exists()
