-- campaign_type: c.campaign_type
SELECT date_trunc($grain, c.starts_on) AS period, {member} AS member, COUNT(*) AS value
FROM shop.campaigns c
JOIN shop.campaign_households h USING (campaign_id)
WHERE c.starts_on >= $start AND c.starts_on < $until
GROUP BY ALL
