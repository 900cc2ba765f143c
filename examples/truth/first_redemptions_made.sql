SELECT date_trunc($grain, redeemed_on) AS period, {member} AS member, COUNT(*) AS value
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY household_id, campaign_id ORDER BY redeemed_on) AS nth
    FROM shop.redemptions
)
WHERE nth = 1 AND redeemed_on >= $start AND redeemed_on < $until
GROUP BY ALL
