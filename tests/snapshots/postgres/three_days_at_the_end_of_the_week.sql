WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '7 DAY' AS DATE), DATE '2026-03-16') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-02-23', DATE '2026-03-16' - INTERVAL '1 DAY', INTERVAL '7 DAY') AS every(starts)
),
lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  amount AS v
FROM lines
WHERE day >= DATE '2026-02-20' AND day < DATE '2026-03-16'
),
spans AS (
SELECT period, through - 2 AS since, through AS through
FROM periods
),
days AS (
SELECT through, CAST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY') AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM spans) AS spans
),
lines_read AS (
SELECT
  spans.through,
  rows_read.v AS v
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  sales_04d2df
FROM spans AS spans
JOIN (
SELECT
  through AS own__through
  , SUM(v) AS sales_04d2df
FROM lines_read lines_read_src_10000
GROUP BY
  through
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
    sales_04d2df AS value_1,
    CAST(NULL AS DOUBLE PRECISION) AS value_2,
    CAST(NULL AS DOUBLE PRECISION) AS value_3
  FROM periods LEFT JOIN lines_answer USING (period)
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1
