WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 MONTH' AS DATE), DATE '2026-05-01') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2025-12-01', DATE '2026-05-01' - INTERVAL '1 DAY', INTERVAL '1 MONTH') AS every(starts)
),
customers_rows AS (
SELECT
  CAST(joined AS DATE) AS on_day,
  1 AS v
FROM customers
WHERE joined >= DATE '2025-12-01' AND joined < DATE '2026-05-01'
),
days AS (
SELECT through, CAST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY') AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
customers_read AS (
SELECT
  spans.through,
  rows_read.v AS v
FROM customers_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
customers_answer AS (
SELECT
  spans.period,
  asked_71f434
FROM periods AS spans
JOIN (
SELECT
  own__through
  , SUM(__asked_71f434) AS asked_71f434
FROM (
  SELECT
    through AS own__through
    , CASE WHEN v IS NOT NULL THEN 1 ELSE 0 END AS __asked_71f434
  FROM customers_read customers_read_src_10000
) subq_3
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
    asked_71f434 AS value_1,
    CAST(NULL AS DOUBLE PRECISION) AS value_2,
    CAST(NULL AS DOUBLE PRECISION) AS value_3
  FROM periods LEFT JOIN customers_answer USING (period)
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1
