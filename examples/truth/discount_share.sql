-- product__department: COALESCE(p.department, 'No department')
SELECT date_trunc($grain, l.sold_on) AS period, {member} AS member,
       SUM(l.retail_disc + l.coupon_disc + l.coupon_match_disc)::DOUBLE
       / NULLIF(SUM(l.sales_value + l.retail_disc + l.coupon_match_disc), 0) AS value
FROM shop.lines l
LEFT JOIN shop.products p USING (product_id)
WHERE l.sold_on >= $start AND l.sold_on < $until
GROUP BY ALL
