-- product__department: COALESCE(p.department, 'No department')
-- household__age: COALESCE(d.age, 'Unknown')
SELECT date_trunc($grain, l.sold_on) AS period, {member} AS member,
       SUM(l.sales_value - l.coupon_disc) FILTER (WHERE p.brand = 'Private')::DOUBLE
       / NULLIF(SUM(l.sales_value - l.coupon_disc), 0) AS value
FROM shop.lines l
LEFT JOIN shop.products p USING (product_id)
LEFT JOIN shop.demographics d USING (household_id)
WHERE COALESCE(p.product_type, '') <> 'GASOLINE-REG UNLEADED'
  AND l.sold_on >= $start AND l.sold_on < $until
GROUP BY ALL
