-- The day of a household's first line, whether before the range or not, decides.
-- age: COALESCE(d.age, 'Unknown')
-- income: COALESCE(d.income, 'Unknown')
SELECT date_trunc($grain, f.first_on) AS period, {member} AS member, COUNT(*) AS value
FROM (SELECT household_id, MIN(sold_on) AS first_on FROM shop.lines GROUP BY 1) f
LEFT JOIN shop.demographics d USING (household_id)
WHERE f.first_on >= $start AND f.first_on < $until
GROUP BY ALL
