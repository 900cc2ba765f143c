from django.db import migrations

# As it was before, and decided as what it is: what moves tier or domain was asked for as a change
# of stewardship, what moves the lifecycle as a retiring one. An editorial consent moves no card.
ENTRY_CONSENT = """
CREATE OR REPLACE FUNCTION governance_entry_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided record;
    entry catalog_entry%ROWTYPE;
BEGIN
    SELECT * INTO entry FROM catalog_entry WHERE id = NEW.id;
    IF (OLD.tier, OLD.domain_id) IS DISTINCT FROM (entry.tier, entry.domain_id) THEN
        SELECT item->'stewardship' AS said, v.requirements INTO decided
        FROM governance_change c
        JOIN governance_changerequest r ON r.id = c.request_id AND r.status = 'published'
        JOIN governance_revision v ON v.id = r.revision_id
        JOIN LATERAL jsonb_array_elements(v.content->'items') item
            ON item->>'key' = c.key AND jsonb_typeof(item->'stewardship') = 'object'
        WHERE c.entry_id = entry.id
        ORDER BY r.closed_at DESC, c.id DESC LIMIT 1;
        IF (
            (decided.said->>'tier')::int = entry.tier
            AND decided.said->>'domain'
                = (SELECT key FROM accounts_domain WHERE id = entry.domain_id)
            AND EXISTS (
                SELECT FROM jsonb_to_recordset(decided.requirements)
                    AS need(key text, change_class text, tier int, domain bigint)
                WHERE need.key = entry.key AND need.change_class = 'stewardship'
                  AND need.tier <= least(OLD.tier, entry.tier)
                  AND need.domain = OLD.domain_id
            )
        ) IS NOT TRUE THEN
            RAISE EXCEPTION 'Tier and domain of % move by a change request.', entry.key
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF OLD.lifecycle IS DISTINCT FROM entry.lifecycle THEN
        SELECT item->>'lifecycle' AS said, v.requirements INTO decided
        FROM governance_change c
        JOIN governance_changerequest r ON r.id = c.request_id AND r.status = 'published'
        JOIN governance_revision v ON v.id = r.revision_id
        JOIN LATERAL jsonb_array_elements(v.content->'items') item
            ON item->>'key' = c.key AND jsonb_typeof(item->'lifecycle') = 'string'
        WHERE c.entry_id = entry.id
        ORDER BY r.closed_at DESC, c.id DESC LIMIT 1;
        IF (
            decided.said = entry.lifecycle
            AND EXISTS (
                SELECT FROM jsonb_to_recordset(decided.requirements)
                    AS need(key text, change_class text)
                WHERE need.key = entry.key AND need.change_class = 'retiring'
            )
        ) IS NOT TRUE THEN
            RAISE EXCEPTION 'The lifecycle of % moves by a change request.', entry.key
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0003_publish_on_a_day_and_undo")]

    # A stricter guard is no hindrance to the code before it.
    operations = [migrations.RunSQL(ENTRY_CONSENT, migrations.RunSQL.noop)]
