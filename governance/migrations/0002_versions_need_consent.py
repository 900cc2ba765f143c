"""What the database itself demands: no version without the consent that policy asks for.

The rules are checked when a transaction commits, so that services may write in any order.
"""

from django.db import migrations

from core.guards import insert_only

# The requirements frozen into a revision are those of the approval policies at that moment:
# one an item, from the domain's own row if there is one. A missing row refuses the revision's
# publication later (there is then no requirement to meet), so a requirement that no row backs
# is refused here.
REVISION_POLICY = """
CREATE FUNCTION governance_requirements_are_policy() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    need jsonb;
    rule governance_approvalpolicy%ROWTYPE;
BEGIN
    FOR need IN SELECT jsonb_array_elements(NEW.requirements) LOOP
        SELECT * INTO rule FROM governance_approvalpolicy
        WHERE change_class = need->>'change_class'
          AND tier = (need->>'tier')::int
          AND is_new = (need->>'is_new')::boolean
          AND (domain_id IS NULL OR domain_id = (need->>'domain')::bigint)
        ORDER BY domain_id NULLS LAST LIMIT 1;
        IF NOT FOUND
            OR rule.approvals <> (need->>'approvals')::int
            OR rule.stewards <> (need->>'stewards')::int
            OR rule.owner_counts_as_steward <> (need->>'owner_counts')::boolean
        THEN
            RAISE EXCEPTION 'The approvals asked for % are not those of the policy.', need->>'key'
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER governance_revision_policy BEFORE INSERT ON governance_revision
    FOR EACH ROW EXECUTE FUNCTION governance_requirements_are_policy();
"""
DROP_REVISION_POLICY = """
DROP TRIGGER governance_revision_policy ON governance_revision;
DROP FUNCTION governance_requirements_are_policy();
"""

# A review is of a revision of its own request, by its hash, and says who the author is.
REVIEW_BINDS = """
CREATE FUNCTION governance_review_binds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM governance_revision v JOIN governance_changerequest r ON r.id = v.request_id
        WHERE v.id = NEW.revision_id AND v.request_id = NEW.request_id
          AND v.hash = NEW.revision_hash AND r.author_id = NEW.author_id
    ) THEN
        RAISE EXCEPTION 'A review must name the revision it is of.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER governance_review_binds BEFORE INSERT ON governance_review
    FOR EACH ROW EXECUTE FUNCTION governance_review_binds();
"""
DROP_REVIEW_BINDS = """
DROP TRIGGER governance_review_binds ON governance_review;
DROP FUNCTION governance_review_binds();
"""

VERSION_CONSENT = """
CREATE FUNCTION governance_version_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    item record;
    need jsonb;
    approvals int;
    stewards int;
BEGIN
    SELECT c.key, c.entry_id, r.status, v.id AS revision_id, v.hash, v.editors,
           v.requirements, v.content
    INTO item
    FROM governance_change c
    JOIN governance_changerequest r ON r.id = c.request_id
    JOIN governance_revision v ON v.id = r.revision_id
    WHERE c.version_id = NEW.id;
    IF NOT FOUND OR item.entry_id IS DISTINCT FROM NEW.entry_id THEN
        RAISE EXCEPTION 'A version needs a change request.' USING ERRCODE = 'check_violation';
    END IF;
    IF item.status NOT IN ('publishing', 'published') THEN
        RAISE EXCEPTION 'The change request of this version is %.', item.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT FROM jsonb_array_elements(item.content->'items') proposed
        WHERE proposed->>'key' = item.key
          AND proposed->>'definition' = NEW.definition_id
          AND proposed->'words' = NEW.words
    ) THEN
        RAISE EXCEPTION 'What is published is not what revision % says.', item.hash
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT asked INTO need FROM jsonb_array_elements(item.requirements) asked
    WHERE asked->>'key' = item.key;
    IF need IS NULL THEN
        RAISE EXCEPTION 'No approval policy covers %.', item.key
            USING ERRCODE = 'check_violation';
    END IF;

    WITH verdict AS (
        SELECT DISTINCT ON (reviewer_id) reviewer_id, verdict FROM governance_review
        WHERE revision_id = item.revision_id AND revision_hash = item.hash
          AND verdict <> 'comment'
        ORDER BY reviewer_id, id DESC
    ), approver AS (
        SELECT v.reviewer_id,
            EXISTS (
                SELECT FROM accounts_rolegrant g
                WHERE g.user_id = v.reviewer_id AND g.role = 'steward'
                  AND (g.domain_id IS NULL OR g.domain_id = (need->>'domain')::bigint)
            ) AS is_steward,
            EXISTS (
                SELECT FROM accounts_rolegrant g
                WHERE g.user_id = v.reviewer_id AND g.role = 'reviewer'
                  AND (g.domain_id IS NULL OR g.domain_id = (need->>'domain')::bigint)
            ) AS is_reviewer,
            (need->>'owner_counts')::boolean AND EXISTS (
                SELECT FROM catalog_ownership o
                WHERE o.entry_id = NEW.entry_id AND o.user_id = v.reviewer_id AND o.role = 'owner'
            ) AS is_owner
        FROM verdict v JOIN accounts_user u ON u.id = v.reviewer_id
        WHERE v.verdict = 'approve' AND u.is_active
          AND NOT item.editors @> to_jsonb(v.reviewer_id)
    )
    SELECT count(*) FILTER (WHERE is_steward OR is_reviewer OR is_owner),
           count(*) FILTER (WHERE is_steward OR is_owner)
    INTO approvals, stewards FROM approver;

    IF approvals < (need->>'approvals')::int OR stewards < (need->>'stewards')::int THEN
        RAISE EXCEPTION '% has % of % approvals, % of % by stewards.', item.key,
            approvals, need->>'approvals', stewards, need->>'stewards'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER governance_version_consent AFTER INSERT ON catalog_version
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION governance_version_has_consent();
"""
DROP_VERSION_CONSENT = """
DROP TRIGGER governance_version_consent ON catalog_version;
DROP FUNCTION governance_version_has_consent();
"""

# The link from a published version to the change it came from stays for ever.
CHANGE_KEEPS_VERSION = """
CREATE FUNCTION governance_change_keeps_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'Changes are never truncated.' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.version_id IS NOT NULL AND (TG_OP = 'DELETE' OR NEW IS DISTINCT FROM OLD) THEN
        RAISE EXCEPTION 'A published change is never changed.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER governance_change_keeps_version BEFORE UPDATE OR DELETE ON governance_change
    FOR EACH ROW EXECUTE FUNCTION governance_change_keeps_version();
CREATE TRIGGER governance_change_never_truncated BEFORE TRUNCATE ON governance_change
    FOR EACH STATEMENT EXECUTE FUNCTION governance_change_keeps_version();

CREATE FUNCTION governance_closed_request_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status IN ('published', 'rejected', 'withdrawn') AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'A % change request is never changed.', OLD.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER governance_changerequest_closed BEFORE UPDATE ON governance_changerequest
    FOR EACH ROW EXECUTE FUNCTION governance_closed_request_stays();
"""
DROP_CHANGE_KEEPS_VERSION = """
DROP TRIGGER governance_changerequest_closed ON governance_changerequest;
DROP FUNCTION governance_closed_request_stays();
DROP TRIGGER governance_change_never_truncated ON governance_change;
DROP TRIGGER governance_change_keeps_version ON governance_change;
DROP FUNCTION governance_change_keeps_version();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0001_initial"),
        ("catalog", "0002_versions_are_insert_only"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        insert_only("governance_revision"),
        insert_only("governance_review"),
        migrations.RunSQL(REVISION_POLICY, DROP_REVISION_POLICY),
        migrations.RunSQL(REVIEW_BINDS, DROP_REVIEW_BINDS),
        migrations.RunSQL(VERSION_CONSENT, DROP_VERSION_CONSENT),
        migrations.RunSQL(CHANGE_KEEPS_VERSION, DROP_CHANGE_KEEPS_VERSION),
    ]
