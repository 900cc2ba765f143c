WITH s AS (
    SELECT DISTINCT l.sold_on, l.household_id,
           CASE WHEN COALESCE(p.product_type, '') <> 'GASOLINE-REG UNLEADED'
                THEN l.basket_id END AS basket_id
    FROM shop.lines l
    LEFT JOIN shop.products p USING (product_id)
), ends AS (
    SELECT date_trunc($grain, day) AS period, MAX(day) AS last_day
    FROM (SELECT CAST(unnest(generate_series($start, $until - 1, INTERVAL 1 DAY)) AS DATE) AS day)
    GROUP BY ALL
)
SELECT e.period, {member} AS member,
       COUNT(s.basket_id)::DOUBLE / COUNT(DISTINCT s.household_id) AS value
FROM ends e
JOIN s ON s.sold_on > e.last_day - 28 AND s.sold_on <= e.last_day
GROUP BY ALL
