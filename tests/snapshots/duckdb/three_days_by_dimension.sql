WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 DAY' AS DATE), DATE '2026-03-04') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-02', DATE '2026-03-04' - INTERVAL '1 DAY', INTERVAL '1 DAY') AS every(starts)
),
lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  product AS to_product,
  amount AS v
FROM lines
WHERE day >= DATE '2026-02-27' AND day < DATE '2026-03-04'
),
products_2 AS (
SELECT
  id AS to_product,
  NULLIF(brand, 'Unknown') AS by_brand
FROM products
),
spans AS (
SELECT period, through - 2 AS since, through AS through
FROM periods
),
days AS (
SELECT through, CAST(UNNEST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY')) AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM spans) AS spans
),
lines_read AS (
SELECT
  spans.through,
  rows_read.to_product AS to_product,
  rows_read.v AS v
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  COALESCE(CAST(asked.to_product__by_brand AS VARCHAR), 'Unknown') AS member_1,
  sales_04d2df
FROM spans AS spans
JOIN (
SELECT
  lines_read_src_10000.through AS own__through
  , products_2_src_10000.by_brand AS to_product__by_brand
  , SUM(lines_read_src_10000.v) AS sales_04d2df
FROM lines_read lines_read_src_10000
LEFT OUTER JOIN
  products_2 products_2_src_10000
ON
  lines_read_src_10000.to_product = products_2_src_10000.to_product
GROUP BY
  lines_read_src_10000.through
  , products_2_src_10000.by_brand
) AS asked ON asked.own__through = spans.through
)
SELECT
  period,
  member_1 AS "product__brand",
  value_1 AS "value",
  value_2 AS "value_numerator",
  value_3 AS "value_denominator"
FROM (
  SELECT
    period,
    member_1,
    sales_04d2df AS value_1,
    CAST(NULL AS DOUBLE PRECISION) AS value_2,
    CAST(NULL AS DOUBLE PRECISION) AS value_3
  FROM lines_answer
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1, 2
