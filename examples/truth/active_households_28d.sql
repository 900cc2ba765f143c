-- household__age: s.age
WITH s AS (
    SELECT DISTINCT l.sold_on, l.household_id, COALESCE(d.age, 'Unknown') AS age
    FROM shop.lines l
    LEFT JOIN shop.demographics d USING (household_id)
), ends AS (
    SELECT date_trunc($grain, day) AS period, MAX(day) AS last_day
    FROM (SELECT CAST(unnest(generate_series($start, $until - 1, INTERVAL 1 DAY)) AS DATE) AS day)
    GROUP BY ALL
)
SELECT e.period, {member} AS member, COUNT(DISTINCT s.household_id) AS value
FROM ends e
JOIN s ON s.sold_on > e.last_day - 28 AND s.sold_on <= e.last_day
GROUP BY ALL
