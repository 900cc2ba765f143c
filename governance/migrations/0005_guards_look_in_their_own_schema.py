from django.db import migrations

# Whoever may make temporary tables could lay one over the reviews or the policies, and the guards
# would read that one: unnamed schemas are searched in the caller's order, temporary tables first.
# A guard that is replaced later has to say this again; a test asks each of them.
OWN_SCHEMA = """
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


class Migration(migrations.Migration):
    dependencies = [("governance", "0004_cards_move_by_their_own_class")]

    # The code before it names no temporary table either.
    operations = [migrations.RunSQL(OWN_SCHEMA, migrations.RunSQL.noop)]
