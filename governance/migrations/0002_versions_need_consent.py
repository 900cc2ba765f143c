"""What the database itself demands: no version without the consent that policy asks for.

What must hold of several rows together is checked when a transaction commits, so that services
may write in any order. A request is judged once, with all its items, when it becomes published;
versions and resolutions then only have to belong to a published one.
"""

from django.db import migrations

from core.guards import insert_only

# The requirements frozen into a revision are those of the approval policies at that moment, from
# the domain's own row if there is one, and for what exists already they are those of its domain
# and of no laxer tier than its own. What no row backs is refused: a missing policy is never zero.
REVISION_POLICY = """
CREATE FUNCTION governance_requirements_are_policy() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fault text;
BEGIN
    SELECT format('The approvals asked for %s are not those of the policy.', need.key) INTO fault
    FROM jsonb_to_recordset(NEW.requirements) AS need(
        key text, change_class text, tier int, is_new boolean, domain bigint,
        approvals int, stewards int, owner_counts boolean
    )
    LEFT JOIN LATERAL (
        SELECT * FROM governance_approvalpolicy rule
        WHERE rule.change_class = need.change_class
          AND rule.tier = need.tier
          AND rule.is_new = need.is_new
          AND (rule.domain_id IS NULL OR rule.domain_id = need.domain)
        ORDER BY rule.domain_id NULLS LAST LIMIT 1
    ) rule ON true
    WHERE (
        rule.approvals = need.approvals
        AND rule.stewards = need.stewards
        AND rule.owner_counts_as_steward = need.owner_counts
    ) IS NOT TRUE
    LIMIT 1;
    IF fault IS NULL THEN
        SELECT format('The approvals asked for %s are those of a laxer tier.', need.key)
        INTO fault
        FROM jsonb_to_recordset(NEW.requirements) AS need(key text, tier int)
        JOIN catalog_entry entry ON entry.key = need.key
        WHERE (need.tier <= entry.tier) IS NOT TRUE
        LIMIT 1;
    END IF;
    IF fault IS NULL THEN
        SELECT format('The domain of %s is not asked.', entry.key) INTO fault
        FROM jsonb_to_recordset(NEW.requirements) AS need(key text, domain bigint)
        JOIN catalog_entry entry ON entry.key = need.key
        GROUP BY entry.id
        HAVING NOT bool_or(need.domain IS NOT DISTINCT FROM entry.domain_id)
        LIMIT 1;
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION '%', fault USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER governance_revision_policy BEFORE INSERT ON governance_revision
    FOR EACH ROW EXECUTE FUNCTION governance_requirements_are_policy();
"""
DROP_REVISION_POLICY = """
DROP TRIGGER governance_revision_policy ON governance_revision;
DROP FUNCTION governance_requirements_are_policy();
"""

# A review is of a revision of its own request, by its hash, and says who the author is. A verdict
# is of the revision at hand, by somebody who has written none of it.
REVIEW_BINDS = """
CREATE FUNCTION governance_review_binds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request governance_changerequest%ROWTYPE;
    revision governance_revision%ROWTYPE;
BEGIN
    SELECT * INTO revision FROM governance_revision
    WHERE id = NEW.revision_id AND request_id = NEW.request_id AND hash = NEW.revision_hash;
    SELECT * INTO request FROM governance_changerequest WHERE id = NEW.request_id;
    IF revision.id IS NULL OR request.author_id IS DISTINCT FROM NEW.author_id THEN
        RAISE EXCEPTION 'A review must name the revision it is of.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.verdict = 'comment' THEN
        RETURN NEW;
    END IF;
    IF request.revision_id IS DISTINCT FROM revision.id
        OR request.status NOT IN ('in_review', 'scheduled')
    THEN
        RAISE EXCEPTION 'A verdict is of the revision that is in review.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF revision.editors @> to_jsonb(NEW.reviewer_id) THEN
        RAISE EXCEPTION 'Who has written a part of a revision has no verdict on it.'
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

# The heart of it: a request is published when what is written is what its revision says, judged
# as what it is, and everybody whom the revision's requirements ask has approved that revision.
REQUEST_CONSENT = """
CREATE FUNCTION governance_request_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request governance_changerequest%ROWTYPE;
    revision governance_revision%ROWTYPE;
    fault text;
BEGIN
    SELECT * INTO request FROM governance_changerequest WHERE id = NEW.id;
    IF request.status = 'publishing' THEN
        RAISE EXCEPTION 'Publishing ends in the transaction in which it began.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT FOUND OR request.status <> 'published' THEN
        RETURN NULL;
    END IF;
    SELECT * INTO revision FROM governance_revision
    WHERE id = request.revision_id AND request_id = request.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'CR-% has no revision of its own.', request.id
            USING ERRCODE = 'check_violation';
    END IF;

    WITH proposed AS (
        SELECT item->>'key' AS key, item
        FROM jsonb_array_elements(revision.content->'items') item
    ), need AS (
        SELECT * FROM jsonb_to_recordset(revision.requirements) AS need(
            key text, change_class text, tier int, is_new boolean, domain bigint,
            approvals int, stewards int, owner_counts boolean
        )
    ), done AS (
        SELECT c.key, c.entry_id, c.version_id, v.number, v.definition_id, v.words,
            v.change_class, v.effective_from, v.treatment, v.entry_id AS version_entry_id,
            e.tier, e.domain_id, e.key AS entry_key,
            before.definition_id AS old_definition_id, before.words AS old_words, p.item
        FROM governance_change c
        LEFT JOIN catalog_version v ON v.id = c.version_id
        LEFT JOIN catalog_version before
            ON before.entry_id = v.entry_id AND before.number = v.number - 1
        LEFT JOIN catalog_entry e ON e.id = c.entry_id
        LEFT JOIN proposed p ON p.key = c.key
        WHERE c.request_id = request.id
    ), faults AS (
        SELECT key, 'is no item of the revision' AS fault FROM done WHERE item IS NULL
        UNION ALL
        SELECT key, 'is an item that nothing was done about' FROM proposed
        WHERE key NOT IN (SELECT key FROM done)
        UNION ALL
        SELECT key, 'has become something else than what the revision says' FROM done
        WHERE version_id IS NOT NULL AND (
            entry_id = version_entry_id
            AND item->>'definition' = definition_id
            AND item->'words' = words
            AND coalesce((revision.content->>'effective_from')::date, effective_from)
                = effective_from
            AND coalesce(item->>'treatment', treatment) = treatment
        ) IS NOT TRUE
        UNION ALL
        SELECT key, 'is about another entry' FROM done WHERE entry_key IS DISTINCT FROM key
        UNION ALL
        -- A class that moves no value must have moved none, and an editorial one no meaning.
        SELECT key, 'is more than ' || change_class FROM done
        WHERE (
            change_class IN ('editorial', 'meaning', 'stewardship')
            AND definition_id IS DISTINCT FROM old_definition_id
        ) OR (
            change_class IN ('editorial', 'stewardship')
            AND words - '{EDITORIAL}'::text[] IS DISTINCT FROM old_words - '{EDITORIAL}'::text[]
        )
        UNION ALL
        SELECT key, 'is covered by no approval policy' FROM done
        WHERE NOT EXISTS (
            SELECT FROM need WHERE need.key = done.key
              AND need.change_class = coalesce(done.change_class, need.change_class)
        )
        UNION ALL
        SELECT done.key, 'was decided as if it were ' || CASE
            WHEN need.is_new THEN 'new' ELSE 'there before' END
        FROM done JOIN need USING (key)
        WHERE (need.is_new = (coalesce(done.number, 2) = 1)) IS NOT TRUE
        UNION ALL
        SELECT done.key, 'was decided on a laxer tier' FROM done JOIN need USING (key)
        WHERE (need.tier <= done.tier) IS NOT TRUE
        UNION ALL
        -- A request that moves an entry to another domain is decided in the one it leaves.
        SELECT done.key, 'was not decided in its domain' FROM done JOIN need USING (key)
        LEFT JOIN accounts_domain domain ON domain.id = done.domain_id
        GROUP BY done.key
        HAVING NOT bool_or(
            need.domain IS NOT DISTINCT FROM done.domain_id
            OR coalesce(item->'stewardship'->>'domain' = domain.key, false)
        )
    )
    SELECT format('%s %s.', key, faults.fault) INTO fault FROM faults LIMIT 1;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'CR-% is not published: %', request.id, fault
            USING ERRCODE = 'check_violation';
    END IF;

    WITH need AS (
        SELECT * FROM jsonb_to_recordset(revision.requirements) AS need(
            key text, domain bigint, approvals int, stewards int, owner_counts boolean
        )
    ), verdict AS (
        -- The last word of each person on this very revision.
        SELECT DISTINCT ON (reviewer_id) reviewer_id, verdict FROM governance_review
        WHERE revision_id = revision.id AND revision_hash = revision.hash
          AND verdict <> 'comment'
        ORDER BY reviewer_id, id DESC
    ), approver AS (
        SELECT v.reviewer_id AS id FROM verdict v JOIN accounts_user u ON u.id = v.reviewer_id
        WHERE v.verdict = 'approve' AND u.is_active
          AND v.reviewer_id <> request.author_id
          AND NOT revision.editors @> to_jsonb(v.reviewer_id)
    ), vote AS (
        SELECT need.*, approver.id,
            EXISTS (
                SELECT FROM accounts_rolegrant g
                WHERE g.user_id = approver.id AND g.role = 'steward'
                  AND (g.domain_id IS NULL OR g.domain_id = need.domain)
            ) OR need.owner_counts AND EXISTS (
                SELECT FROM catalog_ownership o JOIN catalog_entry e ON e.id = o.entry_id
                WHERE e.key = need.key AND o.user_id = approver.id AND o.role = 'owner'
            ) AS is_steward,
            EXISTS (
                SELECT FROM accounts_rolegrant g
                WHERE g.user_id = approver.id AND g.role = 'reviewer'
                  AND (g.domain_id IS NULL OR g.domain_id = need.domain)
            ) AS is_reviewer
        FROM need LEFT JOIN approver ON need.approvals > 0
    ), counted AS (
        SELECT key, domain, approvals, stewards,
            count(DISTINCT id) FILTER (WHERE is_steward OR is_reviewer) AS approved,
            count(DISTINCT id) FILTER (WHERE is_steward) AS approved_by_stewards
        FROM vote GROUP BY key, domain, approvals, stewards, owner_counts
    )
    SELECT format(
        '%s has %s of %s approvals, %s of %s by stewards.',
        key, approved, approvals, approved_by_stewards, stewards
    ) INTO fault
    FROM counted
    WHERE (approved >= approvals AND approved_by_stewards >= stewards) IS NOT TRUE
    LIMIT 1;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'CR-% is not published: %', request.id, fault
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER governance_request_consent
    AFTER INSERT OR UPDATE ON governance_changerequest
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.status IN ('publishing', 'published'))
    EXECUTE FUNCTION governance_request_has_consent();
""".replace(
    "{EDITORIAL}",
    "{business_question,synonyms,tags,notes,examples,gaming_risk,benchmark}",
)
DROP_REQUEST_CONSENT = """
DROP TRIGGER governance_request_consent ON governance_changerequest;
DROP FUNCTION governance_request_has_consent();
"""

VERSION_CONSENT = """
CREATE FUNCTION governance_version_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request_status text;
BEGIN
    SELECT r.status INTO request_status
    FROM governance_change c JOIN governance_changerequest r ON r.id = c.request_id
    WHERE c.version_id = NEW.id AND c.entry_id = NEW.entry_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'A version needs a change request.' USING ERRCODE = 'check_violation';
    END IF;
    IF request_status <> 'published' THEN
        RAISE EXCEPTION 'The change request of this version is %.', request_status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER governance_version_consent AFTER INSERT ON catalog_version
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION governance_version_has_consent();

CREATE FUNCTION governance_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <> 1 + coalesce(
        (SELECT max(number) FROM catalog_version WHERE entry_id = NEW.entry_id), 0
    ) THEN
        RAISE EXCEPTION 'Versions are numbered without a gap.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER governance_version_follows BEFORE INSERT ON catalog_version
    FOR EACH ROW EXECUTE FUNCTION governance_version_follows();
"""
DROP_VERSION_CONSENT = """
DROP TRIGGER governance_version_follows ON catalog_version;
DROP FUNCTION governance_version_follows();
DROP TRIGGER governance_version_consent ON catalog_version;
DROP FUNCTION governance_version_has_consent();
"""

# A resolution pins what is in force. What it newly stands on was decided at least as strictly as
# the metric's own tier asks, if it may have moved the metric's values.
RESOLUTION_CONSENT = """
CREATE FUNCTION governance_resolution_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    metric catalog_entry%ROWTYPE;
    fault text;
BEGIN
    SELECT * INTO metric FROM catalog_entry WHERE id = NEW.metric_id;
    IF NEW.number < (SELECT max(number) FROM catalog_resolution WHERE metric_id = NEW.metric_id)
    THEN
        RETURN NULL;  -- Followed by another in the same transaction, which is judged instead.
    END IF;
    IF NOT EXISTS (
        SELECT FROM catalog_version v, jsonb_array_elements(NEW.pins) pin
        WHERE v.id = NEW.version_id AND v.entry_id = NEW.metric_id
          AND pin->>'key' = metric.key AND (pin->>'number')::int = v.number
    ) THEN
        RAISE EXCEPTION 'A resolution pins the version that it is of.'
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT pin->>'key' INTO fault
    FROM jsonb_array_elements(NEW.pins) pin
    LEFT JOIN catalog_entry e ON e.key = pin->>'key'
    LEFT JOIN catalog_version v ON v.entry_id = e.id AND v.number = (pin->>'number')::int
    LEFT JOIN catalog_version current ON current.id = e.current_version_id
    WHERE (
        v.definition_id = pin->>'definition' AND current.definition_id = v.definition_id
    ) IS NOT TRUE
    LIMIT 1;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'A resolution of % pins a % that is not in force.', metric.key, fault
            USING ERRCODE = 'check_violation';
    END IF;
    WITH pinned AS (
        SELECT e.key, v.change_class, c.request_id, v.recorded_at
        FROM jsonb_array_elements(NEW.pins) pin
        JOIN catalog_entry e ON e.key = pin->>'key'
        JOIN catalog_version v ON v.entry_id = e.id AND v.number = (pin->>'number')::int
        JOIN governance_change c ON c.version_id = v.id
    )
    SELECT pinned.key INTO fault
    FROM pinned
    JOIN governance_changerequest r ON r.id = pinned.request_id
    JOIN governance_revision revision ON revision.id = r.revision_id
    WHERE pinned.request_id = (SELECT request_id FROM pinned ORDER BY recorded_at DESC LIMIT 1)
      AND pinned.change_class = 'restating'
      AND NOT EXISTS (
          SELECT FROM jsonb_to_recordset(revision.requirements) AS need(key text, tier int)
          WHERE need.key = pinned.key AND need.tier <= metric.tier
      )
    LIMIT 1;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'The change of % was decided on a laxer tier than that of %.',
            fault, metric.key USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER governance_resolution_consent AFTER INSERT ON catalog_resolution
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION governance_resolution_has_consent();

CREATE FUNCTION governance_resolution_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <> 1 + coalesce(
        (SELECT max(number) FROM catalog_resolution WHERE metric_id = NEW.metric_id), 0
    ) THEN
        RAISE EXCEPTION 'Resolutions are numbered without a gap.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER governance_resolution_follows BEFORE INSERT ON catalog_resolution
    FOR EACH ROW EXECUTE FUNCTION governance_resolution_follows();
"""
DROP_RESOLUTION_CONSENT = """
DROP TRIGGER governance_resolution_follows ON catalog_resolution;
DROP FUNCTION governance_resolution_follows();
DROP TRIGGER governance_resolution_consent ON catalog_resolution;
DROP FUNCTION governance_resolution_has_consent();
"""

# Tier, domain and lifecycle decide who is asked next time, so that they move by consent too: they
# are what the newest published change says that speaks of them.
ENTRY_CONSENT = """
CREATE FUNCTION governance_entry_has_consent() RETURNS trigger LANGUAGE plpgsql AS $$
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
                    AS need(key text, tier int, domain bigint)
                WHERE need.key = entry.key AND need.tier <= least(OLD.tier, entry.tier)
                  AND need.domain = OLD.domain_id
            )
        ) IS NOT TRUE THEN
            RAISE EXCEPTION 'Tier and domain of % move by a change request.', entry.key
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF OLD.lifecycle IS DISTINCT FROM entry.lifecycle THEN
        SELECT item->>'lifecycle' AS said INTO decided
        FROM governance_change c
        JOIN governance_changerequest r ON r.id = c.request_id AND r.status = 'published'
        JOIN governance_revision v ON v.id = r.revision_id
        JOIN LATERAL jsonb_array_elements(v.content->'items') item
            ON item->>'key' = c.key AND jsonb_typeof(item->'lifecycle') = 'string'
        WHERE c.entry_id = entry.id
        ORDER BY r.closed_at DESC, c.id DESC LIMIT 1;
        IF (decided.said = entry.lifecycle) IS NOT TRUE THEN
            RAISE EXCEPTION 'The lifecycle of % moves by a change request.', entry.key
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER governance_entry_consent AFTER UPDATE ON catalog_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (
        OLD.current_version_id IS NOT NULL
        AND (OLD.tier, OLD.domain_id, OLD.lifecycle)
            IS DISTINCT FROM (NEW.tier, NEW.domain_id, NEW.lifecycle)
    )
    EXECUTE FUNCTION governance_entry_has_consent();
"""
DROP_ENTRY_CONSENT = """
DROP TRIGGER governance_entry_consent ON catalog_entry;
DROP FUNCTION governance_entry_has_consent();
"""

# A closed request stays as it is, and so do its items: nothing can be slipped into a consent that
# was given already.
CLOSED_STAYS = """
CREATE FUNCTION governance_change_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request_status text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'Changes are never truncated.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.version_id IS NOT NULL THEN
        RAISE EXCEPTION 'A published change is never changed.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT status INTO request_status FROM governance_changerequest
        WHERE id = OLD.request_id FOR SHARE;
        IF request_status IN ('published', 'rejected', 'withdrawn') THEN
            RAISE EXCEPTION 'The items of a % request are never changed.', request_status
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    SELECT status INTO request_status FROM governance_changerequest
    WHERE id = NEW.request_id FOR SHARE;
    IF request_status IN ('published', 'rejected', 'withdrawn') THEN
        RAISE EXCEPTION 'Nothing is added to a % request.', request_status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER governance_change_stays BEFORE INSERT OR UPDATE OR DELETE ON governance_change
    FOR EACH ROW EXECUTE FUNCTION governance_change_stays();
CREATE TRIGGER governance_change_never_truncated BEFORE TRUNCATE ON governance_change
    FOR EACH STATEMENT EXECUTE FUNCTION governance_change_stays();

CREATE FUNCTION governance_closed_request_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status IN ('published', 'rejected', 'withdrawn')
        AND (TG_OP = 'DELETE' OR NEW IS DISTINCT FROM OLD)
    THEN
        RAISE EXCEPTION 'A % change request is never changed.', OLD.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER governance_changerequest_closed BEFORE UPDATE OR DELETE ON governance_changerequest
    FOR EACH ROW EXECUTE FUNCTION governance_closed_request_stays();
"""
DROP_CLOSED_STAYS = """
DROP TRIGGER governance_changerequest_closed ON governance_changerequest;
DROP FUNCTION governance_closed_request_stays();
DROP TRIGGER governance_change_never_truncated ON governance_change;
DROP TRIGGER governance_change_stays ON governance_change;
DROP FUNCTION governance_change_stays();
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
        migrations.RunSQL(REQUEST_CONSENT, DROP_REQUEST_CONSENT),
        migrations.RunSQL(VERSION_CONSENT, DROP_VERSION_CONSENT),
        migrations.RunSQL(RESOLUTION_CONSENT, DROP_RESOLUTION_CONSENT),
        migrations.RunSQL(ENTRY_CONSENT, DROP_ENTRY_CONSENT),
        migrations.RunSQL(CLOSED_STAYS, DROP_CLOSED_STAYS),
    ]
