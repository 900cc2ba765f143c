SELECT date_trunc($grain, l.sold_on - 1) AS period, {member} AS member,
       COUNT(DISTINCT (l.household_id, l.sold_on)) AS value
FROM shop.lines l
WHERE l.sold_on - 1 >= $start AND l.sold_on - 1 < $until
GROUP BY ALL
