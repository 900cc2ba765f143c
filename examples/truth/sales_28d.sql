-- The 28 days that end with the last day of the period, or with the last day asked for.
-- product__department: s.department
WITH s AS (
    SELECT l.sold_on, COALESCE(p.department, 'No department') AS department,
           SUM(l.sales_value - l.coupon_disc) AS sales
    FROM shop.lines l
    LEFT JOIN shop.products p USING (product_id)
    WHERE COALESCE(p.product_type, '') <> 'GASOLINE-REG UNLEADED'
    GROUP BY ALL
), ends AS (
    SELECT date_trunc($grain, day) AS period, MAX(day) AS last_day
    FROM (SELECT CAST(unnest(generate_series($start, $until - 1, INTERVAL 1 DAY)) AS DATE) AS day)
    GROUP BY ALL
)
SELECT e.period, {member} AS member, SUM(s.sales) AS value
FROM ends e
JOIN s ON s.sold_on > e.last_day - 28 AND s.sold_on <= e.last_day
GROUP BY ALL
