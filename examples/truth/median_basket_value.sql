-- household__age: COALESCE(d.age, 'Unknown')
WITH b AS (
    SELECT l.sold_on, l.household_id, l.basket_id,
           SUM(l.sales_value) - SUM(l.coupon_disc) AS basket_value
    FROM shop.lines l
    LEFT JOIN shop.products p USING (product_id)
    WHERE COALESCE(p.product_type, '') <> 'GASOLINE-REG UNLEADED'
    GROUP BY ALL
)
SELECT date_trunc($grain, b.sold_on) AS period, {member} AS member,
       MEDIAN(b.basket_value::DOUBLE) AS value
FROM b
LEFT JOIN shop.demographics d USING (household_id)
WHERE b.sold_on >= $start AND b.sold_on < $until
GROUP BY ALL
