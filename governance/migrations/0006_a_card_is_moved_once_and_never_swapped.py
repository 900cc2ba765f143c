from django.db import migrations

from core.guards import look_in_own_schema

# As it was before, and each update is judged by what it wrote itself. Judged by how the card ends
# up, a card could be lowered to a lax tier, published there while the guard of requests was made
# to judge early, and put back before its own guard judged.
ENTRY_CONSENT = """
CREATE OR REPLACE FUNCTION governance_entry_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided record;
BEGIN
    IF (OLD.tier, OLD.domain_id) IS DISTINCT FROM (NEW.tier, NEW.domain_id) THEN
        SELECT item->'stewardship' AS said, v.requirements INTO decided
        FROM governance_change c
        JOIN governance_changerequest r ON r.id = c.request_id AND r.status = 'published'
        JOIN governance_revision v ON v.id = r.revision_id
        JOIN LATERAL jsonb_array_elements(v.content->'items') item
            ON item->>'key' = c.key AND jsonb_typeof(item->'stewardship') = 'object'
        WHERE c.entry_id = NEW.id
        ORDER BY r.closed_at DESC, c.id DESC LIMIT 1;
        IF (
            (decided.said->>'tier')::int = NEW.tier
            AND decided.said->>'domain'
                = (SELECT key FROM accounts_domain WHERE id = NEW.domain_id)
            AND EXISTS (
                SELECT FROM jsonb_to_recordset(decided.requirements)
                    AS need(key text, change_class text, tier int, domain bigint)
                WHERE need.key = NEW.key AND need.change_class = 'stewardship'
                  AND need.tier <= least(OLD.tier, NEW.tier)
                  AND need.domain = OLD.domain_id
            )
        ) IS NOT TRUE THEN
            RAISE EXCEPTION 'Tier and domain of % move by a change request.', NEW.key
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF OLD.lifecycle IS DISTINCT FROM NEW.lifecycle THEN
        SELECT item->>'lifecycle' AS said, v.requirements INTO decided
        FROM governance_change c
        JOIN governance_changerequest r ON r.id = c.request_id AND r.status = 'published'
        JOIN governance_revision v ON v.id = r.revision_id
        JOIN LATERAL jsonb_array_elements(v.content->'items') item
            ON item->>'key' = c.key AND jsonb_typeof(item->'lifecycle') = 'string'
        WHERE c.entry_id = NEW.id
        ORDER BY r.closed_at DESC, c.id DESC LIMIT 1;
        IF (
            decided.said = NEW.lifecycle
            AND EXISTS (
                SELECT FROM jsonb_to_recordset(decided.requirements)
                    AS need(key text, change_class text)
                WHERE need.key = NEW.key AND need.change_class = 'retiring'
            )
        ) IS NOT TRUE THEN
            RAISE EXCEPTION 'The lifecycle of % moves by a change request.', NEW.key
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;
"""

# Consent is to a name. Versions hang on the row, so that another name, another number or another
# row in its place would put a formula where nobody agreed to it. A card that shows nothing yet is
# of the tier and domain in which its first version was decided.
ENTRY_LASTS = """
CREATE FUNCTION governance_entry_lasts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND (OLD.id, OLD.key, OLD.kind) IS DISTINCT FROM (NEW.id, NEW.key, NEW.kind)
    THEN
        RAISE EXCEPTION 'The name of % is for ever.', OLD.key USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM catalog_version WHERE entry_id = OLD.id) THEN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION '% has versions, so that it stays.', OLD.key
                USING ERRCODE = 'check_violation';
        END IF;
        RAISE EXCEPTION 'Tier and domain of % move by a change request.', OLD.key
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER governance_entry_name_lasts BEFORE UPDATE ON catalog_entry
    FOR EACH ROW WHEN (
        (OLD.id, OLD.key, OLD.kind) IS DISTINCT FROM (NEW.id, NEW.key, NEW.kind)
        OR OLD.current_version_id IS NULL
        AND (OLD.tier, OLD.domain_id) IS DISTINCT FROM (NEW.tier, NEW.domain_id)
    )
    EXECUTE FUNCTION governance_entry_lasts();
CREATE TRIGGER governance_entry_stays BEFORE DELETE ON catalog_entry
    FOR EACH ROW EXECUTE FUNCTION governance_entry_lasts();
"""
DROP_ENTRY_LASTS = """
DROP TRIGGER governance_entry_name_lasts ON catalog_entry;
DROP TRIGGER governance_entry_stays ON catalog_entry;
DROP FUNCTION governance_entry_lasts();
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0005_guards_look_in_their_own_schema")]

    # Stricter guards are no hindrance to the code before them.
    operations = [
        migrations.RunSQL(ENTRY_CONSENT, migrations.RunSQL.noop),
        migrations.RunSQL(ENTRY_LASTS, DROP_ENTRY_LASTS),
        look_in_own_schema(),
    ]
