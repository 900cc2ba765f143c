from django.db import migrations

from core.guards import insert_only

# A card may only show the newest version of its own entry.
CURRENT_VERSION = """
CREATE FUNCTION catalog_current_version_is_newest() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry catalog_entry%ROWTYPE;
BEGIN
    SELECT * INTO entry FROM catalog_entry WHERE id = NEW.id;
    IF entry.current_version_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM catalog_version
        WHERE id = entry.current_version_id AND entry_id = entry.id
          AND number = (SELECT max(number) FROM catalog_version WHERE entry_id = entry.id)
    ) THEN
        RAISE EXCEPTION 'The current version of % must be its newest.', entry.key
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER catalog_entry_current_version AFTER INSERT OR UPDATE ON catalog_entry
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION catalog_current_version_is_newest();
"""
DROP_CURRENT_VERSION = """
DROP TRIGGER catalog_entry_current_version ON catalog_entry;
DROP FUNCTION catalog_current_version_is_newest();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("core", "0002_audit_is_insert_only"),
    ]

    operations = [
        insert_only("catalog_definition"),
        insert_only("catalog_version"),
        insert_only("catalog_resolution"),
        migrations.RunSQL(CURRENT_VERSION, DROP_CURRENT_VERSION),
    ]
