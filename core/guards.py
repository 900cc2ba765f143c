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

_OWN_SCHEMA = """
DO $$
DECLARE
    guard regprocedure;
BEGIN
    FOR guard IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace
          AND prorettype = 'trigger'::regtype
          AND proowner = current_user::regrole
    LOOP
        EXECUTE format(
            'ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', guard, current_schema()
        );
    END LOOP;
END $$;
"""


def look_in_own_schema() -> migrations.RunSQL:
    """Let all guards look in the product's schema alone. Comes last wherever one is (re)made."""
    return migrations.RunSQL(_OWN_SCHEMA, migrations.RunSQL.noop)


def insert_only(table: str) -> migrations.RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE of a table to everybody, its owner included."""
    return migrations.RunSQL(_REFUSE.format(table=table), _ALLOW.format(table=table))
