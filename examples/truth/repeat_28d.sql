-- The next shopping day of the same household lies at most 28 days ahead.
-- household__age: COALESCE(d.age, 'Unknown')
WITH days AS (
    SELECT household_id, sold_on AS day,
           LEAD(sold_on) OVER (PARTITION BY household_id ORDER BY sold_on) AS next_day
    FROM (SELECT DISTINCT household_id, sold_on FROM shop.lines)
)
SELECT date_trunc($grain, day) AS period, {member} AS member,
       AVG(CASE WHEN next_day <= day + 28 THEN 1.0 ELSE 0.0 END) AS value
FROM days
LEFT JOIN shop.demographics d USING (household_id)
WHERE day >= $start AND day < $until
GROUP BY ALL
