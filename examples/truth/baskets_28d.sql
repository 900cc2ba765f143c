WITH s AS (
    SELECT l.sold_on, COUNT(DISTINCT l.basket_id) AS baskets
    FROM shop.lines l
    LEFT JOIN shop.products p USING (product_id)
    WHERE COALESCE(p.product_type, '') <> 'GASOLINE-REG UNLEADED'
    GROUP BY ALL
), ends AS (
    SELECT date_trunc($grain, day) AS period, MAX(day) AS last_day
    FROM (SELECT CAST(unnest(generate_series($start, $until - 1, INTERVAL 1 DAY)) AS DATE) AS day)
    GROUP BY ALL
)
-- A basket belongs to one day, so that days may be added up.
SELECT e.period, {member} AS member, SUM(s.baskets) AS value
FROM ends e
JOIN s ON s.sold_on > e.last_day - 28 AND s.sold_on <= e.last_day
GROUP BY ALL
