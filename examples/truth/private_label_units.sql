-- Items that carry the shop's own brand.
-- product__department: COALESCE(p.department, 'No department')
SELECT date_trunc($grain, l.sold_on) AS period, {member} AS member,
       SUM(l.quantity) AS value
FROM shop.lines l
JOIN shop.products p USING (product_id)
WHERE p.brand = 'Private'
  AND COALESCE(p.product_type, '') <> 'GASOLINE-REG UNLEADED'
  AND l.sold_on >= $start AND l.sold_on < $until
GROUP BY ALL
