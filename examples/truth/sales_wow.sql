-- Each day that is asked for stands against the day seven days before it.
-- product__department: COALESCE(p.department, 'No department')
WITH s AS (
    SELECT l.sold_on, {member} AS member, SUM(l.sales_value - l.coupon_disc) AS sales
    FROM shop.lines l
    LEFT JOIN shop.products p USING (product_id)
    WHERE COALESCE(p.product_type, '') <> 'GASOLINE-REG UNLEADED'
    GROUP BY ALL
), both_days AS (
    SELECT sold_on AS day, member, sales, NULL AS before FROM s
    UNION ALL
    SELECT sold_on + 7, member, NULL, sales FROM s
)
SELECT date_trunc($grain, day) AS period, member,
       SUM(sales)::DOUBLE / NULLIF(SUM(before), 0) - 1 AS value
FROM both_days
WHERE day >= $start AND day < $until
GROUP BY ALL
