from django.db import migrations

from core.guards import insert_only

REFUSE_REWRITING = """
CREATE FUNCTION core_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are never changed or removed.', TG_TABLE_NAME
        USING ERRCODE = 'check_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE_REWRITING, "DROP FUNCTION core_refuse_rewriting()"),
        insert_only("core_auditevent"),
    ]
