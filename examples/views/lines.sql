-- New York's clock was four hours behind UTC between these instants of 2017, and five outside of
-- them. The engine's own conversion gives the same for every row and takes three times as long.
-- Money is DECIMAL: its sums are the same in whatever order threads add it up.
SELECT
    basket_id, household_id, store_id, product_id, quantity,
    CAST(sales_value AS DECIMAL(18, 2)) AS sales_value,
    CAST(retail_disc AS DECIMAL(18, 2)) AS retail_disc,
    CAST(coupon_disc AS DECIMAL(18, 2)) AS coupon_disc,
    CAST(coupon_match_disc AS DECIMAL(18, 2)) AS coupon_match_disc,
    local_at + INTERVAL {days} DAY AS sold_at,
    CAST(local_at AS DATE) + {days} AS sold_on
FROM (
    SELECT *, transaction_timestamp - CASE
        WHEN transaction_timestamp >= TIMESTAMP '2017-03-12 07:00:00'
         AND transaction_timestamp < TIMESTAMP '2017-11-05 06:00:00'
        THEN INTERVAL 4 HOUR ELSE INTERVAL 5 HOUR END AS local_at
    FROM read_parquet('{folder}/transactions.parquet')
)
WHERE local_at <= {now}
