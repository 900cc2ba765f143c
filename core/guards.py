"""Database guards that migrations install: the wall behind the services."""

from django.db import migrations

_REFUSE = """
CREATE TRIGGER {table}_never_changed BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewriting();
CREATE TRIGGER {table}_never_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_rewriting();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'etalon_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE, TRIGGER ON {table} FROM etalon_app;
    END IF;
END $$;
"""
_ALLOW = """
DROP TRIGGER {table}_never_changed ON {table};
DROP TRIGGER {table}_never_truncated ON {table};
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'etalon_app') THEN
        GRANT UPDATE, DELETE ON {table} TO etalon_app;
    END IF;
END $$;
"""


def insert_only(table: str) -> migrations.RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE of a table to everybody, its owner included."""
    return migrations.RunSQL(_REFUSE.format(table=table), _ALLOW.format(table=table))
