-- A mailing counts when any coupon of its campaign came back from its household in 60 days.
-- campaign_type: m.campaign_type
WITH m AS (
    SELECT c.starts_on, c.campaign_type, EXISTS (
        SELECT 1 FROM shop.redemptions r
        WHERE r.household_id = h.household_id AND r.campaign_id = c.campaign_id
          AND r.redeemed_on >= c.starts_on AND r.redeemed_on < c.starts_on + 60
    ) AS redeemed
    FROM shop.campaigns c
    JOIN shop.campaign_households h USING (campaign_id)
)
SELECT date_trunc($grain, m.starts_on) AS period, {member} AS member,
       SUM(m.redeemed::INT)::DOUBLE / COUNT(*) AS value
FROM m
WHERE m.starts_on >= $start AND m.starts_on < $until
GROUP BY ALL
