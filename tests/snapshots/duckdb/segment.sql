WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 MONTH' AS DATE), DATE '2026-05-01') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-01-01', DATE '2026-05-01' - INTERVAL '1 DAY', INTERVAL '1 MONTH') AS every(starts)
),
lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  amount AS v,
  product AS to_product
FROM lines
WHERE day >= DATE '2026-01-01' AND day < DATE '2026-05-01'
),
products_2 AS (
SELECT
  id AS to_product,
  NULLIF(brand, 'Unknown') AS by_brand
FROM products
),
days AS (
SELECT through, CAST(UNNEST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY')) AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
lines_read AS (
SELECT
  spans.through,
  rows_read.v AS v,
  rows_read.to_product AS to_product
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  acme_sales_90a430
FROM periods AS spans
JOIN (
SELECT
  own__through
  , SUM(acme_sales_90a430) AS acme_sales_90a430
FROM (
  SELECT
    lines_read_src_10000.through AS own__through
    , products_2_src_10000.by_brand AS to_product__by_brand
    , lines_read_src_10000.v AS acme_sales_90a430
  FROM lines_read lines_read_src_10000
  LEFT OUTER JOIN
    products_2 products_2_src_10000
  ON
    lines_read_src_10000.to_product = products_2_src_10000.to_product
) subq_5
WHERE COALESCE(to_product__by_brand, 'Unknown') = 'Acme'
GROUP BY
  own__through
) AS asked ON asked.own__through = spans.through
)
SELECT
  period,
  value_1 AS "value",
  value_2 AS "value_numerator",
  value_3 AS "value_denominator"
FROM (
  SELECT
    period,
    acme_sales_90a430 AS value_1,
    CAST(NULL AS DOUBLE PRECISION) AS value_2,
    CAST(NULL AS DOUBLE PRECISION) AS value_3
  FROM periods LEFT JOIN lines_answer USING (period)
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1
