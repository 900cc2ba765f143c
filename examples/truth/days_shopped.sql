-- household__age: COALESCE(d.age, 'Unknown')
SELECT date_trunc($grain, l.sold_on) AS period, {member} AS member,
       COUNT(DISTINCT (l.household_id, l.sold_on)) AS value
FROM shop.lines l
LEFT JOIN shop.demographics d USING (household_id)
WHERE l.sold_on >= $start AND l.sold_on < $until
GROUP BY ALL
