-- product__department: COALESCE(p.department, 'No department')
SELECT date_trunc($grain, l.sold_on) AS period, {member} AS member,
       SUM(l.sales_value) + SUM(l.retail_disc) + SUM(l.coupon_match_disc) AS value
FROM shop.lines l
LEFT JOIN shop.products p USING (product_id)
WHERE l.sold_on >= $start AND l.sold_on < $until
GROUP BY ALL
