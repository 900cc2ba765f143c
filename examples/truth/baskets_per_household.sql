-- Baskets leave gasoline out, households do not: a household that only filled up is active.
-- household__age: COALESCE(d.age, 'Unknown')
SELECT date_trunc($grain, l.sold_on) AS period, {member} AS member,
       COUNT(DISTINCT CASE WHEN COALESCE(p.product_type, '') <> 'GASOLINE-REG UNLEADED'
                           THEN l.basket_id END)::DOUBLE
       / COUNT(DISTINCT l.household_id) AS value
FROM shop.lines l
LEFT JOIN shop.products p USING (product_id)
LEFT JOIN shop.demographics d USING (household_id)
WHERE l.sold_on >= $start AND l.sold_on < $until
GROUP BY ALL
